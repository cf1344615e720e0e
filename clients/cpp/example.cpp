// Sends a folder of pictures, and prints what became of each.
//
//     ./example --camera door --wait 1 pictures/

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>
#include <thread>

#include "framepost.hpp"

namespace {

enum Status { good = 0, not_taken = 1, wrong_use = 2, no_reply = 3, interrupted = 130 };

const std::map<std::string, std::string> types = {
    {".jpg", "image/jpeg"}, {".jpeg", "image/jpeg"}, {".png", "image/png"}, {".webp", "image/webp"},
    {".bgr", ""},  // raw pixels
};

constexpr auto usage = R"(usage: example [options] FOLDER
  --url URL        the receiver (http://127.0.0.1:8000)
  --camera NAME    the name that the frames go by (cam1)
  --token TOKEN    the receiver's; better in FRAMEPOST_TOKEN, where others do not see it
  --fps N          pictures a second; else as fast as they go
  --loop           begin the folder again at its end
  --wait S         seconds to wait for each result
  --timeout S      seconds for an exchange (5)
  --every          have every frame processed, even if newer ones come
  --latest         send only what is newest
  --disobey        with --latest: send more frames a second than the receiver wishes
  --size WxH       of .bgr files, which hold raw pixels
)";

struct WrongUse : std::runtime_error {
    using std::runtime_error::runtime_error;
};

volatile std::sig_atomic_t stopping = 0;

void on_signal(int number) {
    stopping = 1;
    std::signal(number, SIG_DFL);  // a second Ctrl-C ends the program at once
}

struct Settings {
    std::filesystem::path folder;
    std::string url = "http://127.0.0.1:8000", camera = "cam1";
    framepost::Options client;
    framepost::SendOptions send;
    double fps = 0;
    bool loop = false, latest = false, disobey = false;
    int width = 0, height = 0;
};

double number(const std::string& name, const std::string& text) {
    const auto found = framepost::json_number(text);
    if (!found || *found < 0 || *found > 1e6)
        throw WrongUse(name + ": expected a number from 0 to 1000000, got '" + text + "'");
    return *found;
}

Settings read_settings(int argc, char** argv) {
    Settings settings;
    if (const char* token = std::getenv("FRAMEPOST_TOKEN")) settings.client.token = token;
    const std::map<std::string, bool*> switches = {{"--loop", &settings.loop},
                                                   {"--latest", &settings.latest},
                                                   {"--every", &settings.send.every},
                                                   {"--disobey", &settings.disobey}};
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        auto value = [&]() -> std::string {
            if (++i == argc) throw WrongUse(name + ": expected a value behind it");
            return argv[i];
        };
        if (name == "-h" || name == "--help") {
            std::cout << usage;
            std::exit(good);
        }
        if (auto found = switches.find(name); found != switches.end()) {
            *found->second = true;
        } else if (name == "--url") {
            settings.url = value();
        } else if (name == "--camera") {
            settings.camera = value();
        } else if (name == "--token") {
            settings.client.token = value();
        } else if (name == "--fps") {
            settings.fps = number(name, value());
        } else if (name == "--wait") {
            settings.send.wait = framepost::Seconds(number(name, value()));
        } else if (name == "--timeout") {
            settings.client.timeout = framepost::Seconds(number(name, value()));
        } else if (name == "--size") {
            const std::string size = value();
            char end = 0;
            if (std::sscanf(size.c_str(), "%5dx%5d%c", &settings.width, &settings.height, &end) !=
                2)
                throw WrongUse("--size: expected WIDTHxHEIGHT, got '" + size + "'");
        } else if (name[0] == '-' || !settings.folder.empty()) {
            throw WrongUse("unknown argument '" + name + "'; --help tells which there are");
        } else {
            settings.folder = name;
        }
    }
    if (settings.folder.empty()) throw WrongUse("expected a folder; --help tells more");
    return settings;
}

std::string suffix(const std::filesystem::path& file) {
    std::string text = file.extension().string();
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

std::vector<std::filesystem::path> pictures(const std::filesystem::path& folder) {
    if (!is_directory(folder))
        throw WrongUse("folder: expected one with pictures, got '" + folder.string() + "'");
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (types.count(suffix(entry.path()))) found.push_back(entry.path());
    if (found.empty())
        throw WrongUse(folder.string() +
                       ": expected .jpg, .jpeg, .png, .webp or .bgr files, found none");
    std::sort(found.begin(), found.end());
    return found;
}

// Calls use(name, bytes, options) for each picture, at the wished pace.
template <class Use>
void each(const Settings& settings, Use use) {
    const auto files = pictures(settings.folder);
    auto due = std::chrono::steady_clock::now();
    for (std::size_t i = 0; !stopping && (settings.loop || i < files.size()); ++i) {
        if (settings.fps > 0) {
            std::this_thread::sleep_until(due);
            const framepost::Seconds interval{1 / settings.fps};
            // Where it cannot keep the pace, no burst makes up for it.
            due = std::max(due + std::chrono::duration_cast<std::chrono::nanoseconds>(interval),
                           std::chrono::steady_clock::now());
            if (stopping) return;
        }
        const auto& file = files[i % files.size()];
        std::ifstream stream(file, std::ios::binary);
        framepost::Bytes bytes(std::istreambuf_iterator<char>(stream), {});
        framepost::SendOptions options = settings.send;
        options.content_type = types.at(suffix(file));
        if (options.content_type.empty())
            options.content_type = framepost::raw_pixels(settings.width, settings.height);
        use(file.filename().string(), std::move(bytes), options);
    }
}

// Prints one line for each frame, and knows what the program is to end with.
struct Printer {
    int status = good;
    std::string wish;

    void print(const std::string& name, const framepost::Reply& reply) {
        const bool failed = reply.state == "failed";
        if (failed) status = std::max<int>(status, not_taken);
        const std::string& more = failed ? reply.error : reply.result;
        std::cout << name << ": " << reply.status << " " << reply.state << (more.empty() ? "" : " ")
                  << more << std::endl;
        tell_wish(reply.control);
    }

    void print(const std::string& name, const framepost::Error& error) {
        if (const auto* refused = dynamic_cast<const framepost::Refused*>(&error)) {
            status = std::max<int>(status, not_taken);
            std::cout << name << ": " << refused->status << " refused " << refused->detail
                      << std::endl;
        } else {
            status = no_reply;
            std::cout << name << ": " << error.what() << std::endl;
        }
    }

    void tell_wish(const framepost::Control& control) {
        std::ostringstream now;
        if (control.fps) now << " fps=" << *control.fps;
        if (control.size) now << " size=" << control.size->width << "x" << control.size->height;
        if (control.quality) now << " quality=" << *control.quality;
        if (now.str() != wish && !now.str().empty())
            std::cout << "the receiver wishes" << now.str() << std::endl;
        wish = now.str();
    }
};

int send_each(const Settings& settings, framepost::Client client) {
    Printer printer;
    each(settings,
         [&](const std::string& name, const framepost::Bytes& bytes, const auto& options) {
             try {
                 printer.print(name, client.send(bytes, options));
             } catch (const framepost::Error& error) {
                 printer.print(name, error);
             }
         });
    return printer.status;
}

int send_latest(const Settings& settings, framepost::Client client) {
    Printer printer;
    framepost::LatestOptions options;
    options.obey = !settings.disobey;
    options.on_reply = [&](const framepost::Reply& reply) {
        printer.print("frame " + std::to_string(reply.seq), reply);
    };
    options.on_trouble = [&](std::int64_t seq, const framepost::Error& error) {
        printer.print("frame " + std::to_string(seq), error);
    };
    framepost::LatestFrameSender sender(std::move(client), options);
    each(settings, [&](const std::string&, framepost::Bytes bytes, const auto& how) {
        sender.offer(std::move(bytes), how);
    });
    sender.close();
    const auto counts = sender.counts();
    std::cout << "captured=" << counts.captured << " posted=" << counts.posted
              << " superseded=" << counts.superseded << " refused=" << counts.refused
              << " failed=" << counts.failed << " thinned=" << counts.thinned << std::endl;
    return printer.status;
}

}  // namespace

int main(int argc, char** argv) try {
    const Settings settings = read_settings(argc, argv);
    framepost::Client client(settings.url, settings.camera, settings.client);
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    const int status = (settings.latest ? send_latest : send_each)(settings, std::move(client));
    return stopping && !settings.latest ? interrupted : status;
} catch (const std::exception& error) {
    std::cerr << "example: " << error.what() << "\n";
    return wrong_use;
}
