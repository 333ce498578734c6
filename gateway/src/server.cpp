#include "gateway/server.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <exception>
#include <filesystem>
#include <fmt/format.h>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "address.hpp"
#include "admin_listener.hpp"
#include "clearing.hpp"
#include "control_socket.hpp"
#include "desk.hpp"
#include "document_views.hpp"
#include "gateway/projector.hpp"
#include "house_authority.hpp"
#include "house_bookings.hpp"
#include "listener.hpp"
#include "log.hpp"
#include "metrics.hpp"
#include "openapi.hpp"
#include "operator_desk.hpp"
#include "partner_disputes.hpp"
#include "partner_records.hpp"
#include "position_source.hpp"

namespace pointhouse::gateway {

namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds tend_pause{100};
constexpr int tends_per_look_at_certificates = 10;

std::string url_of(std::string_view scheme, const std::string& host, std::uint16_t port)
{
    const bool is_v6 = host.find(':') != std::string::npos;
    return fmt::format("{}://{}{}{}:{}", scheme, is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
}

House& recovered(House& house)
{
    static_cast<void>(house.ledger());
    return house;
}

ListenerOptions listener_options(
    const House& house, const Address& address, std::span<const Route> operator_routes = {})
{
    const auto server = house.folder().certificates() / "house";
    ListenerOptions options;
    options.address = address.host;
    options.port = address.port;
    options.certificate_file = (server / "cert.pem").string();
    options.key_file = (server / "key.pem").string();
    options.ca_file = (house.folder().certificates() / "ca.pem").string();
    options.allowed_hosts = house.config().hosts;
    options.operator_routes = operator_routes;
    return options;
}

/// Books that have more than the journal are those of another one, or it lost its end.
void require_books_of_this_journal(House& house)
{
    const auto head = house.ledger().head();
    const auto projected = house.books().projected();
    if (projected > head)
        throw HouseFailure{fmt::format(
            "the books contain record {}, but the journal ends at {}: restore a backup, or accept "
            "the loss with: pointhouse rebuild",
            projected.value(),
            head.value())};
}

} // namespace

class Server::State {
public:
    State(
        House& house,
        const ServeOptions& options,
        CommandInterpreter interpreter,
        OperatorRoutes operators)
        : house_{house}, interpreter_{std::move(interpreter)},
          address_{parse_address(options.listen.empty() ? house.config().listen : options.listen)},
          admin_address_{
              parse_address(options.admin.empty() ? house.config().admin : options.admin)},
          signals_{loop_}, timer_{loop_}, authority_{house.registry()},
          // Recovers, and only then opens the doors.
          positions_{recovered(house)}, documents_{house}, disputes_{house},
          desk_{loop_.get_executor(), house}, records_{house, desk_},
          openapi_{openapi_with(openapi_document(), operators.routes)},
          operators_{desk_, std::move(operators)},
          clearing_{
              loop_.get_executor(),
              house.ledger(),
              house.wire_key(),
              {.position_of = [this](ledger::PartnerId partner) { return positions_(partner); },
               .propose =
                   [this](const ledger::Message& message, std::string_view operator_name) {
                       return propose_message(house_, message, operator_name);
                   },
               .answer_document =
                   [this](Exchange& exchange, std::optional<ledger::PartnerId> reader) {
                       documents_.answer(exchange, reader);
                   },
               .answer_dispute =
                   [this](Exchange& exchange, std::optional<ledger::PartnerId> partner) {
                       disputes_.answer(exchange, partner);
                   },
               .begin_records =
                   [this](Exchange& exchange, ledger::PartnerId partner) {
                       return records_.begin(exchange, partner);
                   },
               .begin_operator_request =
                   [this](Exchange& exchange) { return operators_.begin(exchange); },
               .openapi = openapi_}},
          listener_{
              loop_, listener_options(house, address_, operators_.routes()), clearing_, authority_},
          admin_{loop_, admin_options()}, certificate_time_{certificate_time()}
    {
        require_books_of_this_journal(house);
        static_cast<void>(house.projector());
        house.tend();
        if (options.stops_on_signals) {
            signals_.add(SIGTERM);
            signals_.add(SIGINT);
            signals_.async_wait([this](boost::system::error_code error, int) {
                if (error) return;
                log_event(LogLevel::info, "draining");
                drain();
            });
        }
        tend_later();
    }

    [[nodiscard]] std::string url() const
    {
        return url_of("https", address_.host, listener_.port());
    }
    [[nodiscard]] std::string admin_url() const
    {
        return url_of("http", admin_address_.host, admin_.port());
    }

    void run()
    {
        // Not earlier: a command waits for the loop to turn.
        control_.emplace(
            house_.folder().control_socket(),
            [this](const CommandRequest& request) {
                return on_house([&](House& house) { return interpreter_(house, request); });
            },
            [this](const NextStep& step) { return on_house(step); });
        try {
            loop_.run();
        } catch (...) {
            has_ended_ = true;
            throw;
        }
        closing_.join();
    }

    void stop()
    {
        asio::post(loop_, [this] { drain(); });
    }

private:
    AdminOptions admin_options()
    {
        return {
            .address = admin_address_.host,
            .port = admin_address_.port,
            .why_not_ready = [this] { return why_not_ready(); },
            .metrics = [this] { return metrics_text(house_, listener_.counters()); }};
    }

    [[nodiscard]] std::string why_not_ready() const
    {
        if (is_draining_) return "not ready: the house stops";
        if (!is_tended_) return "not ready: the house's store is out of reach";
        if (house_.ledger().counters().may_commit) return {};
        std::error_code error;
        const auto space = fs::space(house_.folder().root, error);
        return fmt::format(
            "not ready: the ledger cannot commit{}",
            error ? "" : fmt::format("; {} MiB are free where it lies", space.available >> 20U));
    }

    /// A command's steps run between two turns of the loop, like a request.
    CommandStep on_house(const NextStep& step)
    {
        std::promise<CommandStep> promise;
        auto done = promise.get_future();
        asio::post(loop_, [this, &promise, &step] {
            try {
                const auto held = house_.hold_messages();
                promise.set_value(step(house_));
            } catch (...) {
                promise.set_exception(std::current_exception());
            }
        });
        while (done.wait_for(tend_pause) != std::future_status::ready)
            if (has_ended_) throw Interrupted{"the house has ended"};
        return done.get();
    }

    void tend_later()
    {
        timer_.expires_after(tend_pause);
        timer_.async_wait([this](boost::system::error_code error) {
            if (error || is_draining_) return;
            tend();
            tend_later();
        });
    }

    void tend()
    {
        try {
            house_.tend();
            if (house_.is_overtaken() && !is_draining_) {
                log_event(LogLevel::warning, "overtaken");
                drain();
            }
            if (++tends_ % tends_per_look_at_certificates == 0) reload_changed_certificate();
            if (!std::exchange(is_tended_, true)) log_event(LogLevel::info, "tended_again");
        } catch (const std::exception& failure) {
            // Ten times a second, for as long as a database is away: said once.
            if (std::exchange(is_tended_, false))
                log_event(LogLevel::error, "tend_failed", {{LogField::reason, failure.what()}});
        }
    }

    [[nodiscard]] fs::file_time_type certificate_time() const
    {
        std::error_code error;
        return fs::last_write_time(listener_options(house_, address_).certificate_file, error);
    }

    void reload_changed_certificate()
    {
        const auto time = certificate_time();
        if (time == certificate_time_) return;
        certificate_time_ = time;
        listener_.reload_certificates();
        log_event(LogLevel::info, "server_certificate_reloaded");
    }

    void drain()
    {
        if (std::exchange(is_draining_, true)) return;
        timer_.cancel();
        signals_.cancel();
        listener_.drain([this] { finish_part(); });
        // Commands under way wait for the loop, so the loop must not wait for them.
        closing_ = std::thread{[this] {
            control_.reset();
            desk_.close();
            asio::post(loop_, [this] { finish_part(); });
        }};
    }

    void finish_part()
    {
        if (++parts_finished_ < 2) return;
        admin_.stop();
        loop_.stop();
    }

    House& house_;
    CommandInterpreter interpreter_;
    Address address_;
    Address admin_address_;
    asio::io_context loop_{1};
    asio::signal_set signals_;
    asio::steady_timer timer_;
    HouseAuthority authority_;
    PositionSource positions_;
    DocumentViews documents_;
    PartnerDisputes disputes_;
    Desk desk_;
    PartnerRecords records_;
    std::string openapi_;
    OperatorDesk operators_;
    Clearing clearing_;
    Listener listener_;
    AdminListener admin_;
    std::optional<ControlSocket> control_;
    std::thread closing_;
    fs::file_time_type certificate_time_;
    int tends_ = 0;
    int parts_finished_ = 0;
    bool is_draining_ = false;
    bool is_tended_ = true;               // the last time: the store could be looked at
    std::atomic<bool> has_ended_ = false; // by a failure: the loop turns no more
};

Server::Server(
    House& house,
    const ServeOptions& options,
    CommandInterpreter interpreter,
    OperatorRoutes operators)
    : state_{std::make_unique<State>(house, options, std::move(interpreter), std::move(operators))}
{}

Server::~Server() = default;

std::string Server::url() const
{
    return state_->url();
}

std::string Server::admin_url() const
{
    return state_->admin_url();
}

void Server::run()
{
    state_->run();
}

void Server::stop()
{
    state_->stop();
}

} // namespace pointhouse::gateway
