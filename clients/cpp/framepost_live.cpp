#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "framepost.hpp"

namespace framepost {

using Steady = std::chrono::steady_clock;

struct LatestFrameSender::Impl {
    struct Frame {
        std::int64_t seq;
        Bytes picture;
        SendOptions options;
    };

    Client client;
    const LatestOptions options;
    mutable std::mutex mutex;  // over what follows, up to the thread
    std::condition_variable changed;
    std::optional<Frame> newest;
    std::optional<Steady::time_point> closed_at;
    std::optional<Seconds> wait;  // of the frame offered last
    Counts counts;
    Control control;
    Steady::time_point due{};
    Seconds backoff{0};
    std::minstd_rand jitter{std::random_device{}()};
    std::once_flag joined;
    std::thread thread;

    Impl(Client sending, LatestOptions wishes)
        : client(std::move(sending)), options(std::move(wishes)) {
        thread = std::thread([this] { run(); });
    }

    void run() {
        while (auto frame = take()) pause(post(*frame));
        const std::lock_guard lock(mutex);
        drop();
    }

    std::optional<Frame> take() {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return newest || closed_at; });
        if (closed_at && time_to_close() <= Seconds{0}) return {};
        return std::exchange(newest, std::nullopt);
    }

    // Returns how long to pause.
    Seconds post(const Frame& frame) {
        try {
            const Reply reply = client.post(frame.seq, frame.picture.data(), frame.picture.size(),
                                            frame.options, limit(frame));
            {
                const std::lock_guard lock(mutex);
                ++counts.posted;
                --counts.waiting;
                control = reply.control;
                backoff = Seconds{0};
            }
            if (options.on_reply) options.on_reply(reply);
            return reply.retry_after;
        } catch (const Error& error) {
            const auto* refused = dynamic_cast<const Refused*>(&error);
            {
                const std::lock_guard lock(mutex);
                ++(refused ? counts.refused : counts.failed);
                --counts.waiting;
            }
            if (options.on_trouble) options.on_trouble(frame.seq, error);
            if (!refused) return next_backoff();
            const int status = refused->status;
            const bool is_about_this_frame = status == 413 || status == 415 || status == 422;
            return is_about_this_frame ? Seconds{0}
                                       : std::max(refused->retry_after, next_backoff());
        }
    }

    Seconds limit(const Frame& frame) const {
        const std::lock_guard lock(mutex);
        const Seconds whole = client.limit(frame.options.wait);
        return closed_at ? std::min(whole, time_to_close()) : whole;
    }

    Seconds time_to_close() const { return client.limit(wait) - (Steady::now() - *closed_at); }

    Seconds next_backoff() {
        backoff = backoff == Seconds{0} ? Seconds{0.1} : std::min(backoff * 2, Seconds{1.0});
        return backoff * std::uniform_real_distribution<>(0.5, 1.0)(jitter);
    }

    // What still waits when `close` comes first is not sent.
    void pause(Seconds length) {
        if (length <= Seconds{0}) return;
        std::unique_lock lock(mutex);
        if (changed.wait_for(lock, length, [&] { return closed_at.has_value(); })) drop();
    }

    void drop() {
        if (!newest) return;
        newest.reset();
        ++counts.failed;
        --counts.waiting;
    }

    bool is_due() {
        if (!options.obey || !control.fps) return true;
        const auto now = Steady::now();
        if (now < due) return false;
        // From one due time to the next, so that the rate does not sag; anew after a gap.
        const auto interval =
            std::chrono::duration_cast<Steady::duration>(Seconds{1 / *control.fps});
        due = std::max(due, now - interval) + interval;
        return true;
    }
};

LatestFrameSender::LatestFrameSender(Client client, LatestOptions options)
    : impl_(std::make_unique<Impl>(std::move(client), std::move(options))) {}

LatestFrameSender::~LatestFrameSender() { close(); }

void LatestFrameSender::offer(Bytes picture, SendOptions options) {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->closed_at) throw std::logic_error("the sender is closed");
    if (!impl_->is_due()) {
        ++impl_->counts.thinned;
        return;
    }
    const std::int64_t seq = impl_->client.capture(options);
    ++impl_->counts.captured;
    ++(impl_->newest ? impl_->counts.superseded : impl_->counts.waiting);
    impl_->wait = options.wait;
    impl_->newest = Impl::Frame{seq, std::move(picture), std::move(options)};
    impl_->changed.notify_one();
}

Counts LatestFrameSender::counts() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->counts;
}

Control LatestFrameSender::control() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->control;
}

void LatestFrameSender::close() {
    {
        const std::lock_guard lock(impl_->mutex);
        if (!impl_->closed_at) impl_->closed_at = Steady::now();
        impl_->changed.notify_one();
    }
    // A callback may close too; then the destructor waits for the thread.
    if (std::this_thread::get_id() != impl_->thread.get_id())
        std::call_once(impl_->joined, [&] { impl_->thread.join(); });
}

}  // namespace framepost
