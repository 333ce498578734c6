#include "gateway/standby.hpp"

#include <csignal>
#include <exception>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include "address.hpp"
#include "admin_listener.hpp"
#include "house_files.hpp"
#include "house_stores.hpp"
#include "log.hpp"

namespace pointhouse::gateway {

namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds pause{100};

/// The loop that answers on the admin address, while a thread of its own tries to open the house:
/// each try waits for a sign of life of the other process.
class Standby {
public:
    Standby(fs::path data, std::optional<ClockKind> clock, const Address& admin)
        : data_{std::move(data)}, clock_{clock}, signals_{loop_, SIGTERM, SIGINT},
          admin_{
              loop_,
              {.address = admin.host,
               .port = admin.port,
               .why_not_ready =
                   [] { return std::string{"standby: another process serves this house"}; },
               .metrics = [] { return std::string{"pointhouse_standby 1\n"}; }}}
    {
        signals_.async_wait([this](boost::system::error_code error, int) {
            if (!error) end();
        });
    }

    std::unique_ptr<House> wait()
    {
        std::thread trying{[this] { try_until_opened(); }};
        loop_.run();
        is_told_to_stop_ = true;
        trying.join();
        if (failure_) std::rethrow_exception(failure_);
        return std::move(house_);
    }

private:
    void try_until_opened()
    {
        while (!is_told_to_stop_) {
            try {
                house_ = std::make_unique<House>(data_, clock_);
                break;
            } catch (const LeaseHeld&) {
                std::this_thread::sleep_for(pause);
            } catch (const ledger::StoreFailure& failure) {
                // Its server may be the one that is about to be replaced.
                log_event(
                    LogLevel::warning, "standby_failed", {{LogField::reason, failure.what()}});
                std::this_thread::sleep_for(pause);
            } catch (...) {
                failure_ = std::current_exception();
                break;
            }
        }
        asio::post(loop_, [this] { end(); });
    }

    void end()
    {
        admin_.stop();
        signals_.cancel();
        loop_.stop();
    }

    fs::path data_;
    std::optional<ClockKind> clock_;
    asio::io_context loop_{1};
    asio::signal_set signals_;
    AdminListener admin_;
    std::atomic<bool> is_told_to_stop_ = false;
    std::unique_ptr<House> house_;
    std::exception_ptr failure_;
};

} // namespace

std::unique_ptr<House> open_or_stand_by(
    const fs::path& data, std::optional<ClockKind> clock, const ServeOptions& options)
{
    try {
        return std::make_unique<House>(data, clock);
    } catch (const LeaseHeld&) {
        if (!is_postgres(read_config(HouseFolder{data}.config()).store)) throw;
    }
    log_event(LogLevel::info, "standby");
    const auto config = read_config(HouseFolder{data}.config());
    Standby standby{
        data, clock, parse_address(options.admin.empty() ? config.admin : options.admin)};
    return standby.wait();
}

} // namespace pointhouse::gateway
