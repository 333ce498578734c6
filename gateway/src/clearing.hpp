#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "answers.hpp"
#include "commit_queue.hpp"
#include "exchange.hpp"
#include "ledger/ledger.hpp"
#include "opaque_ids.hpp"
#include "wire_json.hpp"
#include "wire_protobuf.hpp"

namespace pointhouse::gateway {

/// The running position of a partner in the open window, as JSON. May throw.
using PositionOf = std::function<std::string(ledger::PartnerId)>;

/// Lays an operator's message by until another approves it, unless one did not: a fault then, as
/// where its id has other content.
using ProposeMessage = std::function<ledger::Result<ledger::HouseSequence, Fault>(
    const ledger::Message&, std::string_view operator_name)>;

/// Answers what is about documents; the partner is none for an operator, who sees all.
using AnswerDocument = std::function<void(Exchange&, std::optional<ledger::PartnerId>)>;

/// Begins to answer what is done at the desk. True: it was answered at once.
using BeginAtDesk = std::function<bool(Exchange&)>;
using BeginRecords = std::function<bool(Exchange&, ledger::PartnerId)>;

/// What of the house stands beside the ledger.
struct HousePorts {
    PositionOf position_of{};
    ProposeMessage propose{};
    AnswerDocument answer_document{};
    AnswerDocument answer_dispute{};
    BeginRecords begin_records{};
    BeginAtDesk begin_operator_request{};
    std::string_view openapi{}; // the description of all routes; empty: of every house's alone
};

/// Everything between a request and the ledger: decodes messages, collects those of a turn into one
/// commit, renders the answers. Reads wait for the turn's commit too, so that a client that
/// pipelines a message and a read sees its own message. All on the I/O thread.
class Clearing final : public ExchangeHandler {
public:
    Clearing(
        boost::asio::any_io_executor executor,
        ledger::Ledger& ledger,
        const OpaqueKey& key,
        HousePorts house);

    void begin(Exchange& exchange) override;

private:
    /// What `begin` made of a request: its answer is complete, or it waits for the turn's commit.
    enum class Progress : std::uint8_t { answered, waiting };

    Progress start(Exchange& exchange);
    Progress start_message(Exchange& exchange, ledger::MessageType type);
    Progress start_batch(Exchange& exchange);
    Progress start_question(Exchange& exchange);
    Progress start_read(Exchange& exchange);
    Progress start_dispute(Exchange& exchange);
    Progress start_records(Exchange& exchange);
    Progress start_operator_request(Exchange& exchange);
    Progress answer_echo(Exchange& exchange) const;
    std::optional<Fault> split_batch(Exchange& exchange);
    void name_by_path(const Exchange& exchange, ledger::Message& message);
    void name_by_body(std::string_view hold_id, ledger::Message& message);
    [[nodiscard]] ledger::Sequence hold_of(std::string_view hold_id, ledger::PartnerId partner);
    void read_item(Exchange& exchange, std::string_view text);

    void answer_turn(Turn& turn);
    void answer(Turn& turn, const Turn::Waiting& waiting);
    void answer_message(Exchange& exchange, const ledger::Submission& submission);
    void answer_proposal(Exchange& exchange, ledger::Submission& message);
    [[nodiscard]] bool needs_approval(const ledger::Message& message) const;
    void answer_batch(Turn& turn, const Turn::Waiting& waiting);
    void answer_quote(Exchange& exchange, ledger::Submission& question);
    void answer_member(Exchange& exchange, std::string_view identifier);
    void answer_entries(Exchange& exchange);
    void answer_hold(Exchange& exchange);
    void answer_outcome(Exchange& exchange);
    void answer_position(Exchange& exchange);
    void answer_document(Exchange& exchange);
    std::optional<ledger::PartnerId> partner_of(Exchange& exchange) const;

    ledger::Ledger& ledger_;
    HousePorts house_;
    OpaqueIds ids_;
    Answers answers_;
    JsonReader json_;
    ProtobufReader protobuf_;
    CommitQueue queue_;
    std::vector<std::string_view> pieces_; // of the batch being decoded
};

} // namespace pointhouse::gateway
