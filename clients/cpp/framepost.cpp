#include "framepost.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <new>
#include <random>
#include <sstream>
#include <system_error>
#include <utility>

namespace framepost {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t max_reply = std::size_t{16} << 20;  // a longer one is somebody else's
constexpr Seconds max_retry_after{60.0};

bool is_printable(std::string_view text, char first) {
    return std::all_of(text.begin(), text.end(), [=](char c) { return c >= first && c <= '~'; });
}

bool is_camera(std::string_view name) {
    auto is_plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
    return !name.empty() && name.size() <= 64 && is_printable(name, '!') && is_plain(name[0]) &&
           std::all_of(name.begin(), name.end(),
                       [=](char c) { return is_plain(c) || c == '_' || c == '.' || c == '-'; });
}

std::string trimmed(std::string_view text) {
    constexpr auto blanks = " \t\r\n";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == text.npos) return {};
    return std::string(text.substr(begin, text.find_last_not_of(blanks) - begin + 1));
}

// How a text begins, fit for one line of a log.
std::string beginning(std::string_view text, std::size_t length) {
    std::string words(text.substr(0, length));
    std::replace_if(words.begin(), words.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
    return trimmed(words);
}

std::string quoted(std::string_view text) { return "'" + beginning(text, 80) + "'"; }

long millis(Seconds seconds) { return std::lround(std::clamp(seconds.count(), 0.0, 1e6) * 1000); }

// number / 10 ** places. By hand, for printf would write the decimal comma of the program's locale.
std::string decimal(std::int64_t number, int places) {
    std::string digits = std::to_string(number);
    const auto behind = static_cast<std::size_t>(places);
    if (digits.size() <= behind) digits.insert(0, behind + 1 - digits.size(), '0');
    return digits.insert(digits.size() - behind, ".");
}

// Milliseconds at most, without zeros at the end.
std::string plain(Seconds seconds) {
    std::string text = decimal(millis(seconds), 3);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

std::string unix_seconds(TimePoint at) {
    const auto since = at.time_since_epoch();
    return decimal(std::chrono::duration_cast<std::chrono::microseconds>(since).count(), 6);
}

std::string random_epoch() {
    std::random_device device;
    char text[17];
    std::snprintf(text, sizeof text, "%08x%08x", device(), device());
    return text;
}

// A number without sign or exponent, as headers have it.
std::optional<double> read_number(std::string_view text) {
    if (text.empty() || text.size() > 12 || text.find_first_not_of("0123456789.") != text.npos)
        return {};
    return json_number(text);
}

Seconds read_retry_after(const std::string& text) {
    Seconds asked{read_number(text).value_or(0)};
    if (asked.count() == 0 && !text.empty()) {
        const auto date = curl_getdate(text.c_str(), nullptr);
        if (date >= 0) asked = Seconds(std::difftime(date, std::time(nullptr)));
    }
    return std::clamp(asked, Seconds{0}, max_retry_after);
}

// Reads fps=5; size=640x360; quality=70, of which any part may be missing or unknown.
Control read_control(const std::string& text) {
    Control control;
    std::istringstream parts(text);
    for (std::string part; std::getline(parts, part, ';');) {
        const auto equals = part.find('=');
        if (equals == part.npos) continue;
        const auto name = trimmed(part.substr(0, equals)), value = trimmed(part.substr(equals + 1));
        const auto number = read_number(value);
        if (name == "fps" && number && *number > 0 && *number < 10000) control.fps = number;
        if (name == "quality" && number && *number <= 100)
            control.quality = static_cast<int>(*number);
        const auto by = std::min(value.find('x'), value.size());
        const auto width = read_number(value.substr(0, by));
        const auto height = read_number(by < value.size() ? value.substr(by + 1) : "");
        if (name == "size" && width && height && *width < 1e5 && *height < 1e5)
            control.size = {static_cast<int>(*width), static_cast<int>(*height)};
    }
    return control;
}

// What came back over the wire.
struct Response {
    int status = 0;
    std::string body;
    bool too_long = false;
    std::string received_at, replied_at, retry_after, control, location;

    static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) noexcept
        try {
        const std::string_view line(data, size);
        const auto colon = line.find(':');
        if (colon == line.npos) return size;
        std::string name(line.substr(0, colon));
        for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        auto& response = *static_cast<Response*>(self);
        const std::pair<const char*, std::string&> known[] = {
            {"x-received-at", response.received_at}, {"x-replied-at", response.replied_at},
            {"retry-after", response.retry_after},   {"x-frame-control", response.control},
            {"location", response.location},
        };
        for (auto& [wanted, value] : known)
            if (name == wanted) value = trimmed(line.substr(colon + 1));
        return size;
    } catch (const std::bad_alloc&) {
        return 0;
    }

    static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) noexcept try {
        auto& response = *static_cast<Response*>(self);
        response.too_long = response.body.size() + size > max_reply;
        if (response.too_long) return 0;
        response.body.append(data, size);
        return size;
    } catch (const std::bad_alloc&) {
        return 0;
    }
};

// The receiver's sentence (RFC 9457), else how the body begins.
std::string read_detail(const Response& response) {
    if (response.status < 400)
        return "redirects to '" + beginning(response.location, 300) + "', which is not followed";
    if (auto detail = json_string(json_member(response.body, "detail"))) return *detail;
    const std::string words = beginning(response.body, 300);
    return words.empty() ? "it does not say why" : words;
}

Reply read_reply(Response response) {
    const auto state = json_string(json_member(response.body, "state"));
    if (!state || state->empty()) {
        if (response.status >= 300)
            throw Refused(response.status, read_detail(response),
                          read_retry_after(response.retry_after));
        throw NoReply("protocol", "expected a Framepost receiver's reply, got " +
                                      std::to_string(response.status) + " " +
                                      quoted(response.body));
    }
    Reply reply;
    reply.status = response.status;
    reply.state = *state;
    reply.seq =
        static_cast<std::int64_t>(json_number(json_member(response.body, "seq")).value_or(0));
    reply.result = json_member(response.body, "result");
    reply.error = json_string(json_member(response.body, "error")).value_or("");
    if (const auto timings = json_member(response.body, "timings"); !timings.empty()) {
        auto read = [&](const char* name) {
            return json_number(json_member(timings, name)).value_or(0);
        };
        reply.timings = Timings{read("queue"), read("decode"), read("hook"), read("total")};
    }
    reply.retry_after = read_retry_after(response.retry_after);
    reply.control = read_control(response.control);
    reply.body = std::move(response.body);
    return reply;
}

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

Handle new_handle() {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    Handle handle(ready == CURLE_OK ? curl_easy_init() : nullptr, &curl_easy_cleanup);
    if (!handle) throw std::runtime_error("libcurl cannot be started");
    return handle;
}

}  // namespace

NoReply::NoReply(const std::string& why, const std::string& message)
    : Error("no reply, " + message), reason(why) {}

Refused::Refused(int code, const std::string& words, Seconds pause)
    : Error("refused (" + std::to_string(code) + "): " + words),
      status(code),
      detail(words),
      retry_after(pause) {}

struct Client::Impl {
    Options options;
    std::string target;
    std::string epoch = random_epoch();
    Handle curl = new_handle();
    std::int64_t next_seq = 0;
    std::string last_exchange;

    Reply post(std::int64_t seq, const void* picture, std::size_t size, const SendOptions& how,
               Seconds limit) {
        const std::string sent_at = unix_seconds(std::chrono::system_clock::now());
        const Headers headers = make_headers(seq, how, sent_at);
        Response response;
        char words[CURL_ERROR_SIZE] = "";
        set(CURLOPT_URL, (target + (how.every ? "?mode=every" : "")).c_str());
        set(CURLOPT_HTTPHEADER, headers.get());
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(size));
        set(CURLOPT_POSTFIELDS, size ? picture : "");
        // To libcurl 0 is for ever.
        set(CURLOPT_CONNECTTIMEOUT_MS, std::max(1L, millis(options.connect_timeout)));
        set(CURLOPT_TIMEOUT_MS, std::max(1L, millis(limit)));
        set(CURLOPT_HEADERDATA, &response);
        set(CURLOPT_WRITEDATA, &response);
        set(CURLOPT_ERRORBUFFER, words);
        const auto late = Steady::now() + limit - std::chrono::milliseconds(5);
        const CURLcode code = curl_easy_perform(curl.get());
        set(CURLOPT_ERRORBUFFER, nullptr);
        if (response.too_long)
            throw NoReply("protocol",
                          "the reply is longer than " + std::to_string(max_reply) + " bytes");
        if (code != CURLE_OK) throw no_reply(code, words, Steady::now() >= late, limit);
        remember(response, sent_at);
        long status = 0;
        curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
        response.status = static_cast<int>(status);
        return read_reply(std::move(response));
    }

    void set_up() {
        set(CURLOPT_POST, 1L);
        set(CURLOPT_NOSIGNAL, 1L);  // or its time-outs would use SIGALRM
        set(CURLOPT_TCP_NODELAY, 1L);
        set(CURLOPT_FOLLOWLOCATION, 0L);
        set(CURLOPT_PROXY, "");  // nor one that the environment names
        set(CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
        set(CURLOPT_USERAGENT, "framepost-cpp");
        if (!options.ca_file.empty()) set(CURLOPT_CAINFO, options.ca_file.c_str());
        set(CURLOPT_HEADERFUNCTION, &Response::on_header);
        set(CURLOPT_WRITEFUNCTION, &Response::on_body);
    }

  private:
    template <class Value>
    void set(CURLoption option, Value value) {
        if (curl_easy_setopt(curl.get(), option, value) == CURLE_OUT_OF_MEMORY)
            throw std::bad_alloc();
    }

    Headers make_headers(std::int64_t seq, const SendOptions& how, const std::string& sent_at) {
        Headers list(nullptr, &curl_slist_free_all);
        auto add = [&](const std::string& line) {
            curl_slist* longer = curl_slist_append(list.get(), line.c_str());
            if (longer == nullptr) throw std::bad_alloc();
            list.release();
            list.reset(longer);
        };
        add("Expect:");  // libcurl would ask before it sends a large body, and wait for the answer
        add("Content-Type: " + how.content_type);
        add("X-Frame-Epoch: " + epoch);
        add("X-Frame-Seq: " + std::to_string(seq));
        add("X-Timestamp: " + unix_seconds(*how.captured_at));
        add("X-Sent-At: " + sent_at);
        if (!last_exchange.empty()) add("X-Last-Exchange: " + std::exchange(last_exchange, {}));
        if (how.wait) add("Prefer: wait=" + plain(*how.wait));
        if (!options.token.empty()) add("Authorization: Bearer " + options.token);
        return list;
    }

    NoReply no_reply(CURLcode code, const char* words, bool is_late, Seconds limit) {
        if (!*words) words = curl_easy_strerror(code);
        long number = 0;
        switch (code) {
            case CURLE_COULDNT_RESOLVE_HOST:
            case CURLE_COULDNT_CONNECT:
                curl_easy_getinfo(curl.get(), CURLINFO_OS_ERRNO, &number);
                if (number == 0 || code != CURLE_COULDNT_CONNECT)
                    return {"connect", std::string("no connection: ") + words};
                return {"connect", "no connection: " +
                                       std::generic_category().message(static_cast<int>(number))};
            case CURLE_OPERATION_TIMEDOUT:
                if (!is_late) return {"timeout", "no connection in time"};
                return {"timeout", "no whole reply within " + plain(limit) + " s"};
            case CURLE_SEND_ERROR:
            case CURLE_RECV_ERROR:
            case CURLE_GOT_NOTHING:
            case CURLE_PARTIAL_FILE:
                return {"reset", "the connection ended before the reply did"};
            case CURLE_SSL_CONNECT_ERROR:
            case CURLE_PEER_FAILED_VERIFICATION:
            case CURLE_SSL_CACERT_BADFILE:
                return {"tls", std::string("no TLS connection: ") + words};
            default:
                return {"protocol", std::string("no HTTP reply that is legible: ") + words};
        }
    }

    // Keeps the four times from which the receiver learns this clock's offset.
    void remember(const Response& response, const std::string& sent_at) {
        if (response.received_at.empty() || response.replied_at.empty()) return;
        last_exchange = "sent=" + sent_at + "; received=" + response.received_at +
                        "; replied=" + response.replied_at +
                        "; seen=" + unix_seconds(std::chrono::system_clock::now());
    }
};

Client::Client(const std::string& url, const std::string& camera, Options options) {
    const bool is_web = url.rfind("http://", 0) == 0 || url.rfind("https://", 0) == 0;
    const auto end = url.find_last_not_of('/');
    if (!is_web || url[end] == ':' || !is_printable(url, '!'))
        throw std::invalid_argument("url: expected http://HOST:PORT, got " + quoted(url));
    if (!is_camera(camera))
        throw std::invalid_argument(
            "camera: expected 1 to 64 letters, digits, '_', '.' or '-', the first a letter or "
            "digit, got " +
            quoted(camera));
    if (!is_printable(options.token, '!'))
        throw std::invalid_argument("token: expected printable ASCII without spaces");
    impl_ = std::make_unique<Impl>();
    impl_->options = std::move(options);
    impl_->target = url.substr(0, end + 1) + "/cameras/" + camera + "/frames";
    impl_->set_up();
}

Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Reply Client::send(const Bytes& picture, const SendOptions& options) {
    return send(picture.data(), picture.size(), options);
}

Reply Client::send(const void* picture, std::size_t size, const SendOptions& options) {
    SendOptions how = options;
    const std::int64_t seq = capture(how);
    return post(seq, picture, size, how, limit(how.wait));
}

Reply Client::send_bgr(const unsigned char* pixels, int width, int height, std::size_t stride,
                       SendOptions options) {
    options.content_type = raw_pixels(width, height);
    const auto row = static_cast<std::size_t>(width) * 3, rows = static_cast<std::size_t>(height);
    if (stride == 0 || stride == row) return send(pixels, row * rows, options);
    if (stride < row)
        throw std::invalid_argument("stride: expected at least " + std::to_string(row));
    Bytes packed;
    packed.reserve(row * rows);
    for (std::size_t y = 0; y < rows; ++y)
        packed.insert(packed.end(), pixels + y * stride, pixels + y * stride + row);
    return send(packed, options);
}

// Gives a frame its number; one that is never posted tells the receiver of a loss.
std::int64_t Client::capture(SendOptions& options) {
    if (!is_printable(options.content_type, ' '))
        throw std::invalid_argument("content_type: expected printable ASCII");
    if (!options.captured_at) options.captured_at = std::chrono::system_clock::now();
    return impl_->next_seq++;
}

Reply Client::post(std::int64_t seq, const void* picture, std::size_t size,
                   const SendOptions& options, Seconds limit) {
    return impl_->post(seq, picture, size, options, limit);
}

Seconds Client::limit(std::optional<Seconds> wait) const {
    return impl_->options.timeout + wait.value_or(Seconds{0});
}

std::string raw_pixels(int width, int height, std::string_view layout) {
    return "application/x-raw-" + std::string(layout) + "; width=" + std::to_string(width) +
           "; height=" + std::to_string(height);
}

}  // namespace framepost
