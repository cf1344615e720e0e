// Uses the C++ client as a program would: checks NAME URL. Ends with 0, or says which line failed.

#include <atomic>
#include <functional>
#include <iostream>
#include <locale>
#include <map>
#include <thread>

#include "framepost.hpp"

using namespace std::chrono_literals;

#define CHECK(condition)                                                   \
    if (!(condition)) {                                                    \
        std::cout << __LINE__ << ": expected " << #condition << std::endl; \
        std::exit(1);                                                      \
    }

namespace {

template <class Exception>
std::string thrown_by(const std::function<void()>& call) {
    try {
        call();
    } catch (const Exception& exc) {
        return exc.what();
    }
    return "nothing";
}

const framepost::Bytes jpeg = {'j', 'p', 'e', 'g'};

// The receiver answers: 200 processed with a wish.
void replies(const std::string& url) {
    framepost::Client client(url + "/", "cam.1-x_");
    const framepost::Reply reply = client.send(jpeg, 1500ms);
    CHECK(reply.status == 200 && reply.state == "processed" && reply.seq == 0);
    CHECK(framepost::json_number(framepost::json_member(reply.result, "faces")) == 2.0);
    CHECK(reply.error.empty());
    CHECK(reply.timings && reply.timings->decode == 2.31 && reply.timings->total == 6.7);
    CHECK(reply.control.fps == 7.5 && reply.control.size->width == 640);
    CHECK(reply.control.size->height == 360 && reply.control.quality == 70);
    CHECK(framepost::json_string(framepost::json_member(reply.body, "camera")) == "cam.1-x_");
}

// The receiver answers: 503 with Retry-After: 100, then closes, then never answers.
void errors(const std::string& url) {
    framepost::Options options;
    options.timeout = 300ms;
    framepost::Client client(url, "a", options);
    try {
        client.send(jpeg);
        CHECK(false);
    } catch (const framepost::Refused& refused) {
        CHECK(refused.status == 503 && refused.detail == "not now" && refused.retry_after == 60s);
    }
    for (const std::string reason : {"reset", "timeout"}) {
        try {
            client.send(jpeg);
            CHECK(false);
        } catch (const framepost::NoReply& silence) {
            CHECK(silence.reason == reason);
        }
    }
}

// The receiver answers with the number in the pixels of a picture of 160 x 120, which comes on our
// input with rows of 200 pixels.
void strides(const std::string& url) {
    const framepost::Bytes all((std::istreambuf_iterator<char>(std::cin)), {});
    CHECK(all.size() == 200 * 3 * 120);
    framepost::Client client(url, "strides");
    const auto part = client.send_bgr(all.data(), 160, 120, 200 * 3, 10s);
    CHECK(framepost::json_number(framepost::json_member(part.result, "number")) == 41.0);
    const auto whole = client.send_bgr(all.data(), 200, 120, 0, 10s);
    CHECK(framepost::json_number(framepost::json_member(whole.result, "frames")) == 2.0);
    CHECK(thrown_by<std::invalid_argument>([&] { client.send_bgr(all.data(), 160, 120, 5); }) ==
          "stride: expected at least 480");
}

void settings(const std::string&) {
    using framepost::Client;
    framepost::Options token;
    token.token = "two\nlines";
    const std::map<std::string, std::function<void()>> wrong = {
        {"url: expected", [] { Client("127.0.0.1:8000", "a"); }},
        {"url: expected ", [] { Client("http://", "a"); }},
        {"url: expected h", [] { Client("http://x y", "a"); }},
        {"camera: expected", [] { Client("http://x", "a/b"); }},
        {"camera: expected ", [] { Client("http://x", ""); }},
        {"camera: expected 1", [] { Client("http://x", std::string(65, 'a')); }},
        {"token: expected", [&] { Client("http://x", "a", token); }},
        {"content_type: expected", [] {
             framepost::SendOptions options;
             options.content_type = "image/jpeg\r\nX-Evil: 1";
             Client("http://x", "a").send(jpeg, options);
         }}};
    for (const auto& [beginning, call] : wrong)
        CHECK(thrown_by<std::invalid_argument>(call).rfind(beginning, 0) == 0);
}

struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
};

// The receiver answers: processed, fps=2.5.
void locales(const std::string& url) {
    std::locale::global(std::locale(std::locale(), new Comma));
    framepost::Client client(url, "a");
    const auto reply = client.send(jpeg, 1500ms);
    CHECK(reply.timings->decode == 2.31);
    CHECK(reply.control.fps == 2.5);
    CHECK(framepost::json_number("-12.5e1") == -125.0);
    for (const auto& none : {"", "1,5", "nan", "0x10", "1 ", "\"1\"", "-"})
        CHECK(!framepost::json_number(none));
}

void json(const std::string&) {
    using framepost::json_member;
    using framepost::json_string;
    CHECK(json_member(R"({"a\u0062": [1, {"c": 2}] , "c":3})", "ab") == R"([1, {"c": 2}])");
    CHECK(json_member(R"({"a": 1, "c" : 3 })", "c") == "3");
    for (const auto& none : {"", "{", "{}", "[]", "null", "{\"a\"", "{\"a\":", "{\"a\":}", "{a:1}",
                             "{\"b\":1 \"a\":2}", "{\"b\":[,\"a\":2}", "{\"b\":\"\\\"", "\"a\""})
        CHECK(json_member(none, "a").empty());
    CHECK(json_string(R"("\"\\\/\b\f\n\r\tA\u00e9\u20ac\ud83d\ude00\ud83dx")") ==
          "\"\\/\b\f\n\r\tAé€😀�x");
    for (const auto& none : {"", "\"", "a", "\"\\\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u12\""})
        CHECK(!json_string(none));
}

// The receiver answers: accepted, for ever.
void closing(const std::string& url) {
    {
        framepost::LatestFrameSender* itself = nullptr;
        std::atomic<int> told{0};
        framepost::LatestOptions options;
        options.on_reply = [&](const framepost::Reply&) {
            if (++told == 1) itself->close();
        };
        framepost::LatestFrameSender sender(framepost::Client(url, "a"), options);
        itself = &sender;
        sender.offer(jpeg, 1s);
        while (told == 0) std::this_thread::yield();
        CHECK(thrown_by<std::logic_error>([&] {
                  for (;;) sender.offer(jpeg);
              }) == "the sender is closed");
        sender.close();
        const auto counts = sender.counts();
        CHECK(counts.waiting == 0 && counts.captured >= 1);
        CHECK(counts.captured == counts.posted + counts.superseded + counts.failed);
    }
    framepost::LatestFrameSender sender{framepost::Client(url, "a")};
    for (int i = 0; i < 100; ++i) sender.offer(jpeg);
    std::thread another([&] { sender.close(); });
    sender.close();
    another.join();
    const auto counts = sender.counts();
    CHECK(counts.captured == 100 && counts.posted + counts.superseded == 100);
}

// The receiver answers once it knows that we are closing, and then never again.
void deadline(const std::string& url) {
    framepost::Options options;
    options.timeout = 2s;
    std::string trouble;
    framepost::LatestOptions latest;
    latest.on_trouble = [&](std::int64_t, const framepost::Error& error) {
        trouble = error.what();
    };
    framepost::LatestFrameSender sender(framepost::Client(url, "a", options), latest);
    while (sender.counts().waiting < 2) sender.offer(jpeg);  // one is in flight then
    std::thread closer([&] { sender.close(); });
    thrown_by<std::logic_error>([&] {
        for (;; std::this_thread::sleep_for(1ms)) sender.offer(jpeg);
    });
    std::cout << "closing" << std::endl;
    closer.join();
    CHECK(sender.counts().posted == 1 && sender.counts().failed == 1);
    // The second exchange had but the rest of the 2 s.
    CHECK(trouble.find("no whole reply within 1.") != trouble.npos);
}

}  // namespace

int main(int argc, char** argv) {
    const std::map<std::string, std::function<void(const std::string&)>> checks = {
        {"replies", replies}, {"errors", errors}, {"strides", strides}, {"settings", settings},
        {"locales", locales}, {"json", json},     {"closing", closing}, {"deadline", deadline}};
    if (argc == 3) checks.at(argv[1])(argv[2]);
}
