#include "operator_request.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <stdexcept>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "certs/failure.hpp"
#include "in_house.hpp"
#include "partners/base64.hpp"

namespace pointhouse::ops {

using gateway::CommandResult;
using gateway::CommandStep;
using gateway::Console;
using gateway::House;
using gateway::LongWork;
using gateway::MediaType;
using gateway::NextStep;
using gateway::WorkEnd;

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

/// The files of the request are nobody's business: not where they lay either.
std::string without_folder(std::string text, const fs::path& folder)
{
    const auto prefix = folder.string() + "/";
    for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at))
        text.erase(at, prefix.size());
    return text;
}

/// Puts files of the folder in the place of their names.
void put_files(json::value& value, const std::string& prefix)
{
    if (auto* const object = value.if_object()) {
        for (auto& member : *object) put_files(member.value(), prefix);
    } else if (auto* const array = value.if_array()) {
        for (auto& element : *array) put_files(element, prefix);
    } else if (const auto* const text = value.if_string(); text && text->starts_with(prefix)) {
        const fs::path file{std::string_view{*text}};
        value = json::object{
            {"name", file.filename().string()}, {"base64", partners::as_base64(read_text(file))}};
    }
}

std::string with_files(std::string output, const fs::path& folder)
{
    const auto prefix = folder.string() + "/";
    if (output.find(prefix) == std::string::npos) return output;
    auto value = json::parse(output);
    put_files(value, prefix);
    return json::serialize(value);
}

/// What a person at a keyboard would read, as a refusal; what else is thrown is a failure.
template <class Do>
auto or_refused(const Do& run) -> decltype(run())
{
    try {
        return run();
    } catch (const CommandFailure& failure) {
        return refused(failure.what());
    } catch (const gateway::HouseFailure& failure) {
        return refused(failure.what());
    } catch (const certs::CertificateFailure& failure) {
        return refused(failure.what());
    }
}

gateway::RequestAnswer kept_answer(const Answering& answering, const CommandResult& result)
{
    gateway::RequestAnswer answer{.command = answering.command};
    if (!answering.is_made_again) answer.body = result.output;
    return answer;
}

/// Records that work at the desk came to this.
NextStep keep_answer(Answering answering, CommandResult result)
{
    return [answering = std::move(answering), result = std::move(result)](House& house) {
        house.act_as(answering.operator_name);
        house.begin_request(*answering.id);
        house.end_request(kept_answer(answering, result));
        return result;
    };
}

/// What it asks for waits already, because another request asked for the same.
void join_proposal(House& house, const CommandResult& result, const std::string& message_id)
{
    if (house.requests().find(message_id)) return;
    const auto waiting = house.registry().proposals();
    const auto found =
        std::ranges::find(waiting, ledger::HouseSequence{result.proposal}, &partners::Proposal::id);
    if (found == waiting.end()) return;
    const json::object joined{
        {"waits_for", result.proposal}, {"is_permission", found->kind == "settlement_act"}};
    house.registry().append("request_joined", json::serialize(joined), house.act());
}

CommandStep run_next(House& house, const NextStep& next, const Answering& answering);

/// A step, and those after it, whose end is the answer of the request.
CommandStep answered(CommandStep step, const Answering& answering)
{
    if (auto* const result = std::get_if<CommandResult>(&step))
        return answer_of(std::move(*result), answering);
    return LongWork{
        [work = std::move(std::get<LongWork>(step)), answering](Console& console) -> WorkEnd {
            auto end = or_refused([&] { return work(console); });
            if (auto* const next = std::get_if<NextStep>(&end))
                return NextStep{[next = std::move(*next), answering](House& house) {
                    return run_next(house, next, answering);
                }};
            auto result = answer_of(std::move(std::get<CommandResult>(end)), answering);
            if (!answering.id || result.exit_code != 0) return result;
            return keep_answer(answering, std::move(result));
        }};
}

/// Of a request with a message id a step happens whole, with its answer, or not at all.
CommandStep run_next(House& house, const NextStep& next, const Answering& answering)
{
    const auto run = [&] { return answered(or_refused([&] { return next(house); }), answering); };
    if (!answering.id) return run();
    house.begin_request(*answering.id);
    CommandStep step;
    try {
        step = run();
    } catch (...) {
        house.drop_request();
        throw;
    }
    const auto* const result = std::get_if<CommandResult>(&step);
    if (result && result->exit_code != 0) {
        house.drop_request();
    } else if (result && result->proposal == 0) {
        house.end_request(kept_answer(answering, *result));
    } else {
        if (result) join_proposal(house, *result, answering.id->id);
        house.end_request(std::nullopt);
    }
    return step;
}

/// The answer that a request got before, or would have got. None: what it asks for is to be done.
std::optional<CommandResult> known_answer(House& house, const Answering& answering)
{
    const auto* const known = house.requests().find(answering.id->id);
    if (!known) return std::nullopt;
    if (known->digest != answering.id->digest) {
        auto reused = refused("message_id: another request has it");
        reused.code = "message_id_reused";
        return reused;
    }
    CommandResult first{.is_replayed = true};
    if (answering.is_made_again) return std::nullopt;
    const auto* const decided = house.registry().find_decided(known->prepared);
    if (known->is_answered) {
        first.output = known->answer.value();
    } else if (answering.command == "approve") {
        // The ledger refused what was approved, or the house was killed before it answered.
        if (auto fault = fault_of_approved(house, known->approved)) return fault;
        first.output = fmt::format(R"({{"id":{},"approved":true}})", known->approved.value());
    } else if (decided && !decided->is_approved) {
        auto rejected = refused(gateway::words_of(known->prepared, *decided));
        rejected.code = "proposal_rejected";
        return rejected;
    } else if (known->prepared.is_none() || known->is_permission) {
        return std::nullopt;
    } else if (decided) {
        first.output =
            fmt::format(R"({{"proposal":{},"state":"approved"}})", known->prepared.value());
    } else {
        first.proposal = known->prepared.value();
    }
    return first;
}

} // namespace

RequestFolder::RequestFolder()
{
    std::string name = (fs::temp_directory_path() / "pointhouse-request-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        throw std::runtime_error{"cannot make a folder for the request"};
    path_ = name;
}

RequestFolder::~RequestFolder()
{
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

CommandResult answer_of(CommandResult result, const Answering& answering)
{
    const auto& folder = answering.folder->path();
    const auto type = answering.type;
    result.is_replayed =
        answering.is_replayed || (result.proposal != 0 && result.proposal == answering.waiting);
    result.complaint = without_folder(std::move(result.complaint), folder);
    // A line that cannot be read ends with advice for a keyboard.
    if (result.exit_code == 2)
        result.complaint = result.complaint.substr(0, result.complaint.find('\n'));
    // What looked and found a difference has an answer, and nothing to complain of.
    if (result.exit_code == 1 && result.complaint.empty()) result.exit_code = 0;
    if (result.exit_code != 0 || result.proposal != 0) return result;
    if (type == MediaType::json) result.output = with_files(std::move(result.output), folder);
    const bool is_written =
        type == MediaType::xlsx || type == MediaType::xml || type == MediaType::pdf;
    if (!is_written) return result;
    if (!fs::exists(folder / answer_file))
        return {.exit_code = 1, .complaint = "there is nothing to write"};
    result.output = read_text(folder / answer_file);
    return result;
}

CommandStep run_request(House& house, const Invocation& invocation, Answering answering)
{
    const auto run = [&](House& served) { return begin_in_house(served, invocation); };
    if (!answering.id) return run_next(house, run, answering);
    if (auto known = known_answer(house, answering)) return *known;
    if (const auto* const before = house.requests().find(answering.id->id)) {
        answering.waiting = before->prepared.value();
        answering.is_replayed = before->is_answered;
    }
    if (answering.is_replayed) answering.id.reset(); // it is recorded; its answer is made again
    return run_next(house, run, answering);
}

} // namespace pointhouse::ops
