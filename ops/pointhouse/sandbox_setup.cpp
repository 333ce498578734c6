#include "sandbox_setup.hpp"

#include <exception>
#include <fmt/format.h>
#include <optional>
#include <thread>
#include <utility>

#include "answers.hpp"
#include "certificates.hpp"
#include "gateway/server.hpp"
#include "in_house.hpp"

namespace pointhouse::ops {

namespace {

bool has_valid_certificate(gateway::House& house, const std::string& subject)
{
    const auto now = ledger::SystemClock{}.now();
    for (const auto& [serial, certificate] : house.registry().certificates()) {
        if (certificate.subject == subject && !certificate.revoked && certificate.not_after > now)
            return true;
    }
    return false;
}

/// A house that has booked or promised nothing yet may take another currency.
void take_currency(gateway::House& house, const std::string& currency)
{
    auto& registry = house.registry();
    if (registry.terms()->currency.code == currency) return;
    const auto changed = registry.change_currency(currency, house.act());
    if (!changed) throw CommandFailure{changed.error().reason};
}

} // namespace

void ensure_standard_partner(
    gateway::House& house, const std::string& id, const std::string& display_name)
{
    auto& registry = house.registry();
    if (registry.find_contract(id) == nullptr) {
        auto contract = partners::standard_contract(id);
        if (!display_name.empty()) contract.display_name = display_name;
        const auto added = registry.add(contract, house.act());
        if (!added) throw CommandFailure{added.error().reason};
    }
    const auto subject = subject_of(id);
    if (!has_valid_certificate(house, subject))
        static_cast<void>(issue_certificate(house, subject, house.act()));
}

/// The server's thread is the house's while it runs.
struct SandboxSetup::State {
    explicit State(const std::filesystem::path& data) : house{data, gateway::ClockKind::messages} {}
    ~State()
    {
        if (server) server->stop();
        if (thread.joinable()) thread.join();
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    gateway::House house;
    std::optional<gateway::Server> server;
    std::thread thread;
    std::exception_ptr failure;
};

SandboxSetup::SandboxSetup(std::filesystem::path data) : data_{std::move(data)} {}

SandboxSetup::~SandboxSetup() = default;

ServedHouse SandboxSetup::start(
    std::span<const std::string> partners, const std::string& currency, ledger::Time first)
{
    auto state = std::make_unique<State>(data_);
    take_currency(state->house, currency);
    for (const auto& partner : partners) ensure_standard_partner(state->house, partner, {});
    state->house.tend();
    ledger::Ledger& points = state->house.ledger();
    if (points.windows().empty() && first > ledger::Time{})
        static_cast<void>(points.advance_clock(first));
    state->server.emplace(
        state->house,
        gateway::ServeOptions{
            .listen = "127.0.0.1:0", .admin = "127.0.0.1:0", .stops_on_signals = false},
        interpret);
    state->thread = std::thread{[&running = *state] {
        try {
            running.server->run();
        } catch (...) {
            running.failure = std::current_exception();
        }
    }};
    state_ = std::move(state);
    return {.url = state_->server->url(), .certificates = state_->house.folder().certificates()};
}

void SandboxSetup::stop()
{
    if (!state_) return;
    state_->server->stop();
    state_->thread.join();
    const auto failure = state_->failure;
    state_.reset();
    if (failure) std::rethrow_exception(failure);
}

} // namespace pointhouse::ops
