// Framepost: sends camera frames to a receiver over HTTP, and brings back what its hook made of
// them.
//
//     framepost::Client client("http://127.0.0.1:8000", "door");
//     framepost::Reply reply = client.send(jpeg, 1s);         // waits up to a second for the
//     result std::cout << reply.state << " " << reply.result << "\n";
//
// Copy framepost.hpp, framepost.cpp, framepost_live.cpp and framepost_json.cpp into your project.
// C++17; libcurl 7.62 or newer.
//
// Error                std::runtime_error
// ├─ NoReply           network trouble: no whole, legible reply came; the next frame may do better
// └─ Refused           the receiver said no: status, and detail, its own sentence
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace framepost {

using Seconds = std::chrono::duration<double>;
using TimePoint = std::chrono::system_clock::time_point;
using Bytes = std::vector<unsigned char>;

struct Error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The receiver may have taken the frame all the same.
struct NoReply : Error {
    NoReply(const std::string& reason, const std::string& message);
    std::string reason;  // connect, timeout, reset, tls or protocol
};

struct Refused : Error {
    Refused(int status, const std::string& detail, Seconds retry_after);
    int status;
    std::string detail;
    Seconds retry_after;  // how long the receiver asks to send nothing; 0 where it does not
};

struct Options {
    std::string token;     // sent as Authorization: Bearer, unless empty
    std::string ca_file;   // PEM, for https; empty trusts what libcurl trusts
    Seconds timeout{5.0};  // for a whole exchange; what `send` waits for comes on top
    Seconds connect_timeout{2.0};
};

struct SendOptions {
    SendOptions() = default;
    template <class Rep, class Period>
    SendOptions(std::chrono::duration<Rep, Period> seconds) : wait(seconds) {}

    std::optional<Seconds> wait;  // how long the reply may wait for the hook's result
    bool every = false;           // to be processed even if newer frames come
    std::string content_type = "image/jpeg";
    std::optional<TimePoint> captured_at;  // now, where not given
};

// What the receiver can use; nothing where it has no wish.
struct Control {
    struct Size {
        int width, height;
    };
    std::optional<double> fps;
    std::optional<Size> size;
    std::optional<int> quality;  // of JPEG, 1 to 100
};

struct Timings {
    double queue = 0, decode = 0, hook = 0, total = 0;  // milliseconds
};

// What became of a frame.
struct Reply {
    int status = 0;     // of HTTP: 200, 202, or 500 when the hook failed
    std::string state;  // accepted, processed, superseded, duplicate or failed
    std::int64_t seq = 0;
    std::string result;  // what the hook returned, as JSON; empty if there is none
    std::string error;   // one sentence when the hook failed
    std::optional<Timings> timings;
    Seconds retry_after{0};  // how long the receiver asks to send nothing
    Control control;
    std::string body;  // the whole reply, as JSON
};

// Sends one camera's frames over one kept connection; for one thread at a time.
// No redirects, no proxies, no .netrc.
class Client {
  public:
    // Throws std::invalid_argument for a wrong url, camera or token.
    Client(const std::string& url, const std::string& camera, Options options = {});
    ~Client();
    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;

    // Send one picture; throws NoReply or Refused.
    Reply send(const Bytes& picture, const SendOptions& options = {});
    Reply send(const void* picture, std::size_t size, const SendOptions& options = {});

    // Send pixels without a codec, to a receiver on the same host: 3 bytes a pixel, rows `stride`
    // bytes apart (cv::Mat: data, cols, rows, step), or width * 3 where that is 0.
    Reply send_bgr(const unsigned char* pixels, int width, int height, std::size_t stride = 0,
                   SendOptions options = {});

  private:
    friend class LatestFrameSender;
    std::int64_t capture(SendOptions& options);
    Reply post(std::int64_t seq, const void* picture, std::size_t size, const SendOptions& options,
               Seconds limit);
    Seconds limit(std::optional<Seconds> wait) const;

    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// Of one moment: captured = posted + superseded + refused + failed + waiting.
struct Counts {
    std::int64_t captured = 0;
    std::int64_t posted =
        0;  // the receiver took them; what its hook made of them is in the replies
    std::int64_t superseded = 0;  // replaced by a newer one before they were sent
    std::int64_t refused = 0;
    std::int64_t failed = 0;   // no reply came, or `close` came first
    std::int64_t waiting = 0;  // one to be sent, one in flight
    std::int64_t thinned = 0;  // left out because the receiver wished fewer; not captured
};

struct LatestOptions {
    // Run on the sender's thread, between two frames; they must not throw.
    std::function<void(const Reply&)> on_reply;
    std::function<void(std::int64_t seq, const Error&)> on_trouble;
    bool obey = true;  // leave frames out when the receiver wishes fewer a second
};

// Sends the newest frame from a thread of its own; one that waits gives way to a newer one.
// No frame is sent again for a refusal or a lost reply: after trouble it pauses, 0.1 s doubling to
// 1 s or as long as the receiver asks, and goes on with what is newest then.
class LatestFrameSender {
  public:
    explicit LatestFrameSender(Client client, LatestOptions options = {});
    ~LatestFrameSender();  // closes

    // Make this the frame to be sent next; never blocks. Throws std::logic_error once closed.
    void offer(Bytes picture, SendOptions options = {});

    Counts counts() const;
    // What the newest reply wished. Size and quality are yours to follow.
    Control control() const;

    // Send what waits, unless there is trouble, and end, all within the client's timeout and what
    // the last frame waits for.
    void close();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// "application/x-raw-bgr; width=1280; height=720", for SendOptions and `offer`; `layout` may also
// be rgb, gray, i420 or nv12.
std::string raw_pixels(int width, int height, std::string_view layout = "bgr");

// For those who have no JSON library: the member `name` of the JSON object `text`, as JSON, or
// nothing where there is none; a number, or a string, without quotes and escapes (UTF-8).
//     json_number(json_member(reply.result, "faces"))
std::string_view json_member(std::string_view text, std::string_view name);
std::optional<double> json_number(std::string_view text);
std::optional<std::string> json_string(std::string_view text);

}  // namespace framepost
