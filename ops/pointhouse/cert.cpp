#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "answers.hpp"
#include "approvals.hpp"
#include "certificates.hpp"
#include "certs/identity.hpp"
#include "commands.hpp"
#include "settle_documents.hpp"

namespace pointhouse::ops {

namespace {

namespace json = boost::json;

using gateway::CommandResult;
using gateway::House;

/// Leaves live 90 days and are renewed when two thirds of that are over.
constexpr std::chrono::days renewal_before_end{30};

struct Options {
    std::string name;    // a partner, operator:NAME, or a serial
    std::string request; // the file of one, for a key that is not the house's
    bool all = false;
};

/// A certificate's validity is judged by the machine's clock, never by the sandbox's test clock.
ledger::Time machine_time()
{
    return ledger::SystemClock{}.now();
}

std::string_view state_of(const partners::CertificateTerms& certificate, ledger::Time now)
{
    if (certificate.revoked) return "revoked";
    return certificate.not_after < now ? "expired" : "valid";
}

json::object issued_as_json(const certs::IssuedCertificate& issued)
{
    return {
        {"serial", issued.serial},
        {"subject", issued.subject},
        {"not_after", ledger::format_time(issued.not_after)},
        {"certificate", issued.certificate.string()},
        {"key", issued.key.string()},
        {"trust", issued.trust.string()}};
}

json::object signed_as_json(const certs::SignedCertificate& made)
{
    return {
        {"serial", made.serial},
        {"subject", made.subject},
        {"not_after", ledger::format_time(made.not_after)},
        {"certificate_pem", made.certificate},
        {"trust_pem", made.trust}};
}

CommandResult issue(House& house, const Options& options, const Invocation& typed)
{
    const auto subject = subject_of(options.name);
    const std::string_view name = subject;
    // The first two operators come from whoever made the house: nobody could act before them.
    // A second certificate of one person makes no second operator.
    std::set<std::string_view> operators;
    for (const auto& [serial, certificate] : house.registry().certificates())
        if (certificate.subject.starts_with(operator_prefix)) operators.insert(certificate.subject);
    const bool takes_two = operators.size() >= 2 || !name.starts_with(operator_prefix);
    if (takes_two) require_operator(house, typed, "registers a certificate");
    if (name == server_subject)
        return refused("the server's certificate is made by init and rotate");
    if (name.starts_with(partner_prefix))
        static_cast<void>(require_partner(house, name.substr(partner_prefix.size())));
    else if (!certs::is_certificate_name(name.substr(operator_prefix.size())))
        return refused(
            "an operator's name is 1 to 32 letters, digits, dots, dashes or underscores");
    const auto request =
        options.request.empty() ? std::string{} : read_text(typed.path(options.request));
    auto act = fmt::format("issue a certificate for {}", subject);
    // What two people permit is this key, and no other.
    if (!request.empty())
        act += fmt::format(" with the key {}", certs::key_digest_of_request(request));
    Permitted permitted;
    if (takes_two) {
        permitted = ask_permission(house, act, typed);
        if (permitted.waiting) return *permitted.waiting;
    }
    if (!request.empty()) {
        const auto made =
            sign_certificate(house, subject, request, permitted_act(house, permitted));
        return report(typed, signed_as_json(made), made.certificate);
    }
    const auto issued = issue_certificate(house, subject, permitted_act(house, permitted));
    return report(
        typed,
        issued_as_json(issued),
        fmt::format(
            "{} until {}\n  certificate {}\n  key         {}\n  trust       {}\n",
            issued.subject,
            ledger::format_time(issued.not_after),
            issued.certificate.string(),
            issued.key.string(),
            issued.trust.string()));
}

CommandResult revoke(House& house, const Options& options, const Invocation& typed)
{
    require_operator(house, typed, "revokes certificates");
    auto& registry = house.registry();
    const auto subject = subject_of(options.name);
    std::vector<std::string> serials;
    bool is_known = false;
    for (const auto& [serial, certificate] : registry.certificates()) {
        if (serial != options.name && certificate.subject != subject) continue;
        is_known = true;
        if (!certificate.revoked) serials.push_back(serial);
    }
    if (!is_known) return refused(fmt::format("no certificate of {} is registered", options.name));
    if (serials.empty()) return report(typed, {{"revoked", json::array{}}}, "already revoked\n");

    const auto permitted = ask_permission(
        house, fmt::format("revoke {}: {}", options.name, fmt::join(serials, " ")), typed);
    if (permitted.waiting) return *permitted.waiting;
    json::array revoked;
    std::string text;
    for (const auto& serial : serials) {
        const auto accepted = registry.revoke_certificate(serial, permitted_act(house, permitted));
        if (!accepted) return refused(accepted.error().reason);
        revoked.emplace_back(serial);
        text += fmt::format("revoked {}\n", serial);
    }
    return report(typed, {{"revoked", revoked}}, text);
}

CommandResult list(House& house, const Invocation& typed)
{
    const auto now = machine_time();
    json::array all;
    std::string text;
    for (const auto& [serial, certificate] : house.registry().certificates()) {
        const auto state = state_of(certificate, now);
        const auto until = ledger::format_time(certificate.not_after);
        all.push_back(
            {{"serial", serial},
             {"subject", certificate.subject},
             {"not_after", until},
             {"state", state},
             {"revoked", certificate.revoked}});
        text += fmt::format("{}  {:<8} {:<24} {}\n", serial, state, until, certificate.subject);
    }
    return report(typed, all, text);
}

/// The newest certificate of each subject that is neither revoked nor forgotten; the server needs
/// one, also when all it had were revoked.
std::map<std::string, ledger::Time> newest_ends(House& house)
{
    std::map<std::string, ledger::Time> ends{{std::string{server_subject}, {}}};
    for (const auto& [serial, certificate] : house.registry().certificates()) {
        if (certificate.revoked) continue;
        auto& end = ends[certificate.subject];
        end = std::max(end, certificate.not_after);
    }
    return ends;
}

CommandResult rotate(House& house, const Options& options, const Invocation& typed)
{
    Permitted permitted;
    // What is due is renewed as it was registered; a second certificate before that takes two.
    if (options.all && house.registry().founding().production) {
        require_operator(house, typed, "renews certificates before they are due");
        permitted = ask_permission(house, "renew all certificates", typed);
        if (permitted.waiting) return *permitted.waiting;
    }
    const auto due = machine_time() + renewal_before_end;
    json::array renewed;
    std::string text;
    for (const auto& [subject, end] : newest_ends(house)) {
        if (!options.all && end > due) continue;
        const auto issued = issue_certificate(house, subject, permitted_act(house, permitted));
        renewed.push_back(issued_as_json(issued));
        text +=
            fmt::format("{} renewed until {}\n", subject, ledger::format_time(issued.not_after));
    }
    if (text.empty()) text = "nothing is due\n";
    return report(typed, renewed, text);
}

} // namespace

void declare_cert(CLI::App& app, Invocation& invocation)
{
    auto& cert = declare_group(app, "cert", "Client certificates, from the house's own CA");
    const auto options = std::make_shared<Options>();

    auto& issuing = declare_in_house(
        cert,
        "issue",
        "Issue a certificate; an earlier one stays valid beside it",
        invocation,
        [options](House& house, const Invocation& typed) { return issue(house, *options, typed); });
    issuing.add_option("NAME", options->name, "A partner, or operator:NAME")->required();
    issuing
        .add_option(
            "--csr",
            options->request,
            "Certify the key of this request (PKCS #10 in PEM, P-256) and print the certificate")
        ->type_name("FILE");
    add_json_option(issuing, invocation);

    auto& revoking = declare_in_house(
        cert,
        "revoke",
        "Refuse a certificate from now on, also on open connections",
        invocation,
        [options](House& house, const Invocation& typed) {
            return revoke(house, *options, typed);
        });
    revoking
        .add_option("NAME", options->name, "A serial, a partner, or operator:NAME (all of theirs)")
        ->required();
    add_json_option(revoking, invocation);

    auto& listing = declare_in_house(
        cert, "list", "All certificates", invocation, [](House& house, const Invocation& typed) {
            return list(house, typed);
        });
    add_json_option(listing, invocation);

    auto& rotating = declare_in_house(
        cert,
        "rotate",
        "Renew the certificates that are past two thirds of their life, the server's too",
        invocation,
        [options](House& house, const Invocation& typed) {
            return rotate(house, *options, typed);
        });
    rotating.add_flag("--all", options->all, "Renew all, due or not");
    add_json_option(rotating, invocation);
}

} // namespace pointhouse::ops
