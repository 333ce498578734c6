#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/fwd.hpp>

#include "ledger/accounts.hpp"
#include "ledger/house_record.hpp"
#include "settlement/bank_import.hpp"
#include "settlement/bank_matching.hpp"
#include "settlement/closings.hpp"
#include "settlement/dispute.hpp"
#include "settlement/document.hpp"
#include "settlement/estimate_record.hpp"
#include "settlement/exchange.hpp"
#include "settlement/net_statement.hpp"
#include "settlement/netting.hpp"
#include "settlement/new_entry.hpp"
#include "settlement/payment_calendar.hpp"
#include "settlement/window_net.hpp"

namespace pointhouse::settlement {

struct BlockRest;    // block_invoice.hpp
struct Reminder;     // dunning.hpp
struct DefaultCover; // payer_default.hpp
struct Restatement;  // restatement.hpp

/// Where an issued document stands: with the one who got it (Peppol Invoice Response: AB, UQ, RE,
/// AP), and at last `paid` or `credited`, which follow from what happened to it and are told by
/// nobody.
enum class DocumentState : std::uint8_t {
    issued,
    sent,
    accepted,
    queried,
    rejected,
    paid,
    credited
};

[[nodiscard]] std::string_view name_of(DocumentState state) noexcept;
/// Of what a sender or receiver may say of it.
[[nodiscard]] std::optional<DocumentState> find_document_state(std::string_view name) noexcept;

/// An issued document never changes; what happens to it stands beside it.
struct IssuedDocument {
    Document document{};
    ledger::HouseSequence entry{};
    DocumentState state = DocumentState::issued;
    std::string reason{};   // of the last answer
    bool is_lapsed = false; // accepted, because nobody objected in time
    bool is_sent = false;
    ledger::Minor credited{}; // by credit notes, VAT included
    ledger::Minor set_off{};  // of it, against what was not netted yet
    bool is_set_off = false;  // a credit note that its original took: nothing is open of it
    ledger::Minor disputed{}; // of its total, held back
    /// What nets took of it, by their windows; in the sign of what the partner owes. More than one
    /// when a dispute held a part back.
    std::map<ledger::Month, ledger::Minor> netted{};
    std::map<ledger::Month, ledger::Minor> held_back{}; // what was disputed then
    /// The same in the house's currency, of a document in another one.
    std::map<ledger::Month, ledger::Minor> claimed{};
    ledger::Minor set_off_claim{}; // of `set_off`

    /// What the partner owes by it in the house's currency, as it was booked; below zero: is owed.
    [[nodiscard]] ledger::Minor claim() const;
    /// What the net of a window took of that. Pre: it took something.
    [[nodiscard]] ledger::Minor claimed_in(ledger::Month window) const;
    /// What of it goes with `open`: all that is left, unless a dispute holds a part back.
    [[nodiscard]] ledger::Minor open_claim() const;
    /// What its receiver said, or that nobody objected in time: "accepted", "queried", "rejected",
    /// "lapsed"; empty: nothing yet.
    [[nodiscard]] std::string_view answer() const;
    /// Nobody noted that it went out, and nobody answered it.
    [[nodiscard]] bool waits_to_be_sent() const;
    /// What no net has taken yet and none may hold back; above zero: the partner owes it.
    [[nodiscard]] ledger::Minor open() const;
};

/// What the receiver of a document says of it.
struct DocumentAnswer {
    std::string number{};
    DocumentState state = DocumentState::accepted;
    std::string reason{};
    std::string message_id{}; // of a partner's own message
    friend bool operator==(const DocumentAnswer&, const DocumentAnswer&) = default;
};

/// The documents of a window before they are issued.
struct DraftSet {
    ledger::HouseSequence proposal{}; // the entry that holds them
    std::vector<Document> documents{};
    /// What rounded to no document; none: they were prepared before it was recorded.
    std::optional<std::vector<Document>> too_small{};
    std::string prepared_by{};
    bool is_approved = false;
    std::size_t issued = 0; // how many have a number already
};

/// When documents are issued, and whose accounts they book to.
struct IssueTerms {
    ledger::Day today = 0;
    std::shared_ptr<const ledger::Terms> terms{}; // immutable, shared with decisions in flight
};

/// What one unit of a currency is worth in another on a day.
struct DailyRate {
    ledger::Day day = 0;
    ExchangeRate rate{};
};

/// What a match books, in the house's currency but for `foreign`. To undo it, the same is booked
/// with the other sign.
struct MatchBooking {
    struct Payment {
        std::string reference{};                // of the net
        ledger::Minor settled{};                // of the claim, in the sign of the net
        std::optional<ledger::Minor> foreign{}; // what settles it, where paid in another currency
        ledger::Minor worth{};                  // of that, at the rates of the days of its rows
        std::vector<std::string> rate_ids{};
    };
    std::vector<Payment> payments{};
    ledger::Minor written_off{}; // in the sign of the account

    [[nodiscard]] MatchBooking reversed() const;
};

/// An act of settlement that takes two people, once: "pay out 2026-06".
struct Permission {
    ledger::HouseSequence proposal{};
    std::string act{};
    bool is_given = false;
};

/// The last reminder of a document.
struct Reminded {
    std::int32_t level = 0; // from 1
    ledger::Day on = 0;
};

/// The subsidiary ledger of documents and payments: a fold over the house's own record, beside the
/// registry's. Every act is judged by a pure function of what was recorded; the shell appends what
/// it returns, and applies it. One thread.
class Register {
public:
    /// Takes one entry; those of other kinds are passed over. Throws std::exception when an entry
    /// of its own cannot be read.
    void apply(const ledger::HouseEntry& entry);

    /// The last entry of the house's record that it has seen, of whatever kind.
    [[nodiscard]] ledger::HouseSequence through() const { return through_; }

    /// Documents that may be prepared for approval, and what rounds to none: the content of a
    /// proposal. Refused once the window's are approved.
    [[nodiscard]] Registered<std::string> prepare(
        ledger::Month window,
        std::span<const Document> drafts,
        std::span<const Document> too_small = {}) const;
    /// Gives the next document of an approved draft its number and the day of issue, and books it.
    /// `recomputed` are the drafts as the journal gives them now: another figure is a refusal.
    /// None: all are issued.
    [[nodiscard]] Registered<std::optional<NewEntry>> issue_next(
        ledger::Month window, std::span<const Document> recomputed, const IssueTerms& terms) const;
    /// What was issued to correct a document, oldest first.
    [[nodiscard]] std::vector<Document> corrections_of(std::string_view number) const;
    /// A credit note over an issued document. Refused when it credits more than is left.
    [[nodiscard]] Registered<NewEntry> issue_credit(
        const Document& credit, const IssueTerms& terms) const;
    /// The invoice over a block; null: none is issued.
    [[nodiscard]] const IssuedDocument* find_block_invoice(ledger::TariffVersion block) const;
    /// What of a block's rest was not given back yet.
    [[nodiscard]] BlockRest left_to_give_back(const BlockRest& rest) const;
    /// That goes back: a credit note over the block's invoice, paid with its issue.
    [[nodiscard]] Registered<NewEntry> give_block_back(
        const BlockRest& rest, const IssueTerms& terms) const;
    [[nodiscard]] Registered<NewEntry> mark_sent(
        std::string_view number, std::string_view to) const;
    /// More than was billed of a line of a self-billed document, in a document of its own.
    [[nodiscard]] Registered<NewEntry> issue_further(
        const Document& further, const IssueTerms& terms) const;
    /// What the receiver said of it: accepted, queried, rejected; to a self-billed document until
    /// the last day on which its seller may object. `answer` and its document count, and the
    /// message id of a partner's own message.
    [[nodiscard]] Registered<NewEntry> take_answer(
        const DocumentAnswer& answer, ledger::Day today) const;
    /// What a message of the partner said of a document. Null: none has the id.
    [[nodiscard]] const DocumentAnswer* find_answer_message(
        ledger::PartnerId partner, std::string_view message_id) const;
    /// What nobody said anything of until the last day to object, and nobody contests: that it
    /// counts as accepted. Pure.
    [[nodiscard]] std::vector<NewEntry> count_as_accepted(ledger::Day today) const;

    /// A partner contests a part of a line: document, line, net, reason and evidence of `dispute`
    /// count. What it contested before, of the same line, is not contested twice.
    [[nodiscard]] Registered<NewEntry> open_dispute(
        const Dispute& dispute, ledger::Day today) const;
    /// The house does not agree.
    [[nodiscard]] Registered<NewEntry> answer_dispute(
        std::string_view id, std::string_view words, ledger::Day today) const;
    /// The partner insists; `message_id` of its own message, empty: it told an operator.
    [[nodiscard]] Registered<NewEntry> escalate_dispute(
        std::string_view id,
        std::string_view words,
        ledger::Day today,
        std::string_view message_id = {}) const;
    /// What a message of the partner did that opened or escalated a dispute. Null: none has the id.
    [[nodiscard]] const DisputeMessage* find_dispute_message(
        ledger::PartnerId partner, std::string_view message_id) const;
    /// Ends it at any stage; what is agreed is credited by one document, in the same entry.
    [[nodiscard]] Registered<NewEntry> decide_dispute(
        std::string_view id,
        ledger::Minor agreed,
        std::string_view words,
        const IssueTerms& terms) const;
    /// Open ones whose last day has passed: `decide_dispute` with `default_agreement` ends them.
    [[nodiscard]] std::vector<std::string> overdue_disputes(ledger::Day today) const;

    /// Nets what is issued, not disputed and not netted yet, of a program, up to and with the
    /// window. What is closer to zero than the minimum is carried forward.
    [[nodiscard]] Registered<NewEntry> net(
        const NetKey& key, const NettingTerms& netting, const ledger::Terms& terms) const;
    /// Money of a partner's net came in or went out, as the bank's statement says: books it against
    /// the documents. `paid` has the sign of the net.
    [[nodiscard]] Registered<NewEntry> settle(
        const NetKey& key, const NetPaid& payment, const ledger::Terms& terms) const;
    /// The pay-outs that are left of a net in a currency (empty: the house's own): a file to be
    /// written. Refused while a pay-in of the net is missing, in any currency. Once one left the
    /// house, it is that one.
    [[nodiscard]] Registered<PaymentFile> payment_file(
        const NetKey& key,
        ledger::Time now,
        ledger::Day execute_on,
        std::string_view currency = {}) const;
    /// Records that the file leaves the house; the second time for a reason.
    [[nodiscard]] Registered<NewEntry> order_payments(
        const NetKey& key, const PaymentFile& file, std::string_view reason) const;
    /// Records the rate of a day: so many units of one currency for one of another. Immutable.
    [[nodiscard]] Registered<NewEntry> set_rate(const DailyRate& rate) const;
    /// A partner brings collateral, or, below zero, gets some of it back.
    [[nodiscard]] Registered<NewEntry> move_collateral(
        const NetPaid& moved, const ledger::Terms& terms) const;
    /// A partner did not pay its net of a window. Covered by what it is owed in the same window,
    /// then by its collateral, then, as `cover_default` says, by those who receive and the house;
    /// what is left of its documents, and of theirs, is open again for the next net.
    [[nodiscard]] Registered<NewEntry> take_default(
        const PayerInDefault& payer, const ledger::Terms& terms) const;
    /// Takes a partner out of a window's net as if nobody had dealt with it: all its documents are
    /// open again. Refused once something of it was paid or ordered.
    [[nodiscard]] Registered<NewEntry> unwind_partner(
        const PayerInDefault& payer, const ledger::Terms& terms) const;
    /// What one person asked to do and another permits, in the words of the act. Null: nobody
    /// asked, or it was done.
    [[nodiscard]] const Permission* find_permission(std::string_view act) const;
    /// Takes a statement of the bank: none, when all of it is known.
    [[nodiscard]] Registered<std::optional<NewEntry>> import_statement(
        const BankStatement& statement) const;
    /// What the rows of the bank that are open pay, each currency for itself, and what a person has
    /// to decide. The tolerance is in the house's currency; in others it is what that is worth at
    /// the newest rate until today.
    [[nodiscard]] Matching find_matches(
        const PartnerAccounts& accounts,
        const MatchingRules& rules,
        const ledger::Terms& terms,
        ledger::Day today) const;
    /// A match that a person wants: so much of a row, in the sign of the account, pays a net. No
    /// amount: as much as both have open.
    [[nodiscard]] Registered<Match> match_by_hand(
        BankRowNumber row, const std::string& item, std::optional<ledger::Minor> amount) const;
    /// What pays nothing goes to an account: `bank_charges` or `write_off`.
    [[nodiscard]] Registered<Match> write_off_by_hand(
        BankRowNumber row, const std::string& account, std::optional<ledger::Minor> amount) const;
    /// Books a match: of `find_matches`, or one that two people want.
    [[nodiscard]] Registered<NewEntry> book_match(
        const Match& match, const ledger::Terms& terms) const;
    /// The windows that a match writes off in, or that it is undone in: those of its nets, and of
    /// the days of its rows.
    [[nodiscard]] std::set<ledger::Month> windows_of(const Match& match) const;
    /// Undoes a match: its items and rows are open again.
    [[nodiscard]] Registered<NewEntry> reverse_match(
        ledger::HouseSequence entry, std::string_view reason, const ledger::Terms& terms) const;

    /// Moves what the points no longer secure from the trust account to the operating account.
    [[nodiscard]] static NewEntry release_trust(ledger::Micro amount, const ledger::Terms& terms);

    /// A reminder of a document leaves the house. Refused: it is not of the level that comes next.
    [[nodiscard]] Registered<NewEntry> remind(const Reminder& reminder, ledger::Day today) const;
    /// By number; those that nobody was reminded of are not in it.
    [[nodiscard]] const std::map<std::string, Reminded, std::less<>>& reminded() const
    {
        return reminded_;
    }
    /// A further version of an issuer's estimate; its number is given here. Refused: it is of a day
    /// before the last one's, or says the same.
    [[nodiscard]] Registered<NewEntry> estimate(
        const RecordedEstimate& estimate, const ledger::Terms& terms) const;
    /// Takes the newest version of an issuer back. Refused: its day is in a window that is closed
    /// for ever.
    [[nodiscard]] Registered<NewEntry> withdraw_estimate(
        const RecordedEstimate& estimate, std::string_view reason, ledger::Time now) const;
    /// In the order in which they were recorded, those that were taken back among them.
    [[nodiscard]] const std::vector<RecordedEstimate>& estimates() const { return estimates_; }
    /// A further version of a closed window; its number is given here. None: `now` says the same
    /// as the last one. Refused: the window is not closed.
    [[nodiscard]] Registered<std::optional<NewEntry>> restate(const Restatement& now) const;
    /// The version that another one comes after: the last, or the window as it was closed.
    [[nodiscard]] Restatement restatement_before(const Restatement& now) const;
    /// Versions from 2 on, in order; version 1 is the window as it was closed.
    [[nodiscard]] const std::vector<Restatement>& restatements_of(ledger::Month window) const;
    /// Which windows are closed, and how far.
    [[nodiscard]] const Closings& closings() const { return closings_; }
    /// When windows are billed and paid.
    [[nodiscard]] const PaymentCalendar& calendar() const { return calendar_; }
    /// Takes the calendar's terms from a window on back, a program's or the house's own. Refused:
    /// something was issued by them.
    [[nodiscard]] Registered<NewEntry> withdraw_calendar(
        ledger::Month from, std::string_view reason, std::string_view program = {}) const;
    [[nodiscard]] const std::map<std::string, Dispute, std::less<>>& disputes() const
    {
        return disputes_;
    }
    [[nodiscard]] const IssuedDocument* find(std::string_view number) const;
    /// Credited once credit notes took all of it; paid once nothing of it is open and the nets that
    /// took it are paid to the end; until then what its receiver said of it.
    [[nodiscard]] DocumentState standing_of(const IssuedDocument& issued) const;
    /// In the order of issue.
    [[nodiscard]] std::vector<const IssuedDocument*> documents() const;
    [[nodiscard]] std::vector<const IssuedDocument*> documents_of(ledger::Month window) const;
    /// Null: none were prepared, or the window has none.
    [[nodiscard]] const DraftSet* drafts_of(ledger::Month window) const;
    /// Whether approved drafts that are not all issued bill what is recomputed, but for their VAT:
    /// on the day of their issue another row taxes them. They are prepared and approved anew.
    [[nodiscard]] bool is_taxed_anew(
        ledger::Month window, std::span<const Document> recomputed) const;
    [[nodiscard]] bool is_issued(ledger::Month window) const;
    /// Null: it is not netted yet.
    [[nodiscard]] const WindowNet* net_of(const NetKey& key) const;
    /// The nets of a window, by program.
    [[nodiscard]] std::vector<NetKey> nets_of(ledger::Month window) const;
    /// The nets that a window still lacks: of programs with something open of the windows from
    /// `since` to it. A window without any has the one of no program to come.
    [[nodiscard]] std::vector<NetKey> nets_to_come(
        ledger::Month window, ledger::Month since = {}) const;
    /// What a payment of a net settles, in the order of the net. Pre: the payment is the net's.
    [[nodiscard]] std::vector<const IssuedDocument*> documents_of(
        const NetKey& key, ledger::PartnerId partner, const NetPayment& payment) const;
    /// Every document of a net, with what it does. Pre: it is netted.
    [[nodiscard]] std::vector<SettledDocument> settled_documents(const NetKey& key) const;
    [[nodiscard]] ledger::Minor collateral_of(ledger::PartnerId partner) const;
    /// By id.
    [[nodiscard]] const std::map<std::string, DailyRate, std::less<>>& rates() const
    {
        return rates_;
    }
    /// In the order in which they were taken back; each with its reason.
    [[nodiscard]] const std::vector<std::pair<DailyRate, std::string>>& withdrawn_rates() const
    {
        return withdrawn_rates_;
    }
    /// Takes a rate back. Refused: an entry was made at it, or drafts wait that were.
    [[nodiscard]] Registered<NewEntry> withdraw_rate(
        std::string_view id, std::string_view reason) const;
    /// A recorded rate, turned so that it gives amounts in `to`. None: there is no such rate.
    [[nodiscard]] std::optional<ExchangeRate> stored_rate(
        std::string_view id, std::string_view to) const;
    /// The newest rate of a day not after `day`, from one currency to another, whichever way it
    /// was recorded. None: there is none.
    [[nodiscard]] std::optional<ExchangeRate> find_rate(
        std::string_view from, std::string_view to, ledger::Day day) const;
    [[nodiscard]] const BankBook& bank() const { return bank_; }
    /// What of the bank's rows has found no item, by number.
    [[nodiscard]] std::map<BankRowNumber, ledger::Minor> open_rows() const;
    /// Nets that are not paid in full, in the currencies in which they are paid.
    [[nodiscard]] std::vector<OpenItem> open_items() const;
    /// By the entries that booked them; those that were reversed are gone.
    [[nodiscard]] const std::map<ledger::HouseSequence, Match>& matches() const { return matches_; }
    /// Null: none left the house in this currency (empty: its own).
    [[nodiscard]] const PaymentFile* find_payment_file(
        const NetKey& key, std::string_view currency = {}) const;

private:
    using Content = boost::json::object;
    using Apply = void (Register::*)(const ledger::HouseEntry& entry, const Content& content);
    struct Kind;
    static const std::array<Kind, 33> kinds;

    void apply_proposal(const ledger::HouseEntry& entry, const Content& content);
    void apply_approval(const ledger::HouseEntry& entry, const Content& content);
    void apply_rejection(const ledger::HouseEntry& entry, const Content& content);
    void apply_issue(const ledger::HouseEntry& entry, const Content& content);
    void apply_sending(const ledger::HouseEntry& entry, const Content& content);
    void apply_answer(const ledger::HouseEntry& entry, const Content& content);
    void apply_net(const ledger::HouseEntry& entry, const Content& content);
    void apply_payment(const ledger::HouseEntry& entry, const Content& content);
    /// What only moves money, or is the registry's: it may use a permission up.
    void apply_nothing(const ledger::HouseEntry& entry, const Content& content)
    {
        static_cast<void>(entry), static_cast<void>(content);
    }
    void apply_rate(const ledger::HouseEntry& entry, const Content& content);
    void apply_rate_withdrawal(const ledger::HouseEntry& entry, const Content& content);
    void note_rates(const boost::json::value& content);
    void apply_collateral(const ledger::HouseEntry& entry, const Content& content);
    void apply_default(const ledger::HouseEntry& entry, const Content& content);
    void apply_permission(const ledger::HouseEntry& entry, const Content& content);
    void apply_dispute(const ledger::HouseEntry& entry, const Content& content);
    void apply_dispute_move(const ledger::HouseEntry& entry, const Content& content);
    void apply_decision(const ledger::HouseEntry& entry, const Content& content);
    void decide(const Content& outcome, std::string_view credit);
    void keep_message(const Dispute& dispute, const Content& content, bool is_escalation);
    void apply_statement(const ledger::HouseEntry& entry, const Content& content);
    void apply_match(const ledger::HouseEntry& entry, const Content& content);
    void apply_match_reversal(const ledger::HouseEntry& entry, const Content& content);
    void apply_order(const ledger::HouseEntry& entry, const Content& content);
    void apply_calendar(const ledger::HouseEntry& entry, const Content& content);
    void apply_calendar_withdrawal(const ledger::HouseEntry& entry, const Content& content);
    void apply_closing(const ledger::HouseEntry& entry, const Content& content);
    void apply_reminder(const ledger::HouseEntry& entry, const Content& content);
    void apply_estimate(const ledger::HouseEntry& entry, const Content& content);
    void apply_estimate_withdrawal(const ledger::HouseEntry& entry, const Content& content);
    void apply_restatement(const ledger::HouseEntry& entry, const Content& content);

    /// A net that a bank match names by its reference.
    struct NamedNet {
        NetKey key{};
        ledger::PartnerId partner{};
        const NetPayment* payment = nullptr;
    };
    [[nodiscard]] std::optional<NamedNet> find_net(std::string_view reference) const;
    /// What of a net is paid already, named by one row of an entry.
    void settle_net(const Content& row);
    struct DefaultPlan;
    [[nodiscard]] DefaultPlan plan_default(const PayerInDefault& payer, const NamedNet& net) const;
    [[nodiscard]] DefaultPlan plan_foreign_default(
        const PayerInDefault& payer, const NamedNet& net) const;
    /// Who bears that so much is missing of what a payer owes, after its collateral.
    [[nodiscard]] std::optional<DefaultCover> cover_of(
        const PayerInDefault& payer, ledger::Minor missing, ledger::Minor collateral) const;
    /// What the house is to pay it in the same window, and did not order yet; null: nothing.
    [[nodiscard]] const NetPayment* own_pay_out(
        const PayerInDefault& payer, const NamedNet& net) const;
    void set_off(const NamedNet& own, ledger::Minor amount, DefaultPlan& plan) const;
    [[nodiscard]] NewEntry default_entry(
        const PayerInDefault& payer, const DefaultPlan& plan, const ledger::Terms& terms) const;
    [[nodiscard]] std::vector<ledger::AccountLine> settling_lines(
        const NamedNet& net, ledger::Minor paid) const;
    [[nodiscard]] bool is_ordered(const NetKey& key, ledger::PartnerId partner) const;
    struct CurrencyDesk;
    [[nodiscard]] std::map<std::string, CurrencyDesk> desks_by_currency(
        const ledger::Terms& terms) const;
    /// What is open while the parts of a match are tried.
    struct OpenSides {
        std::map<BankRowNumber, ledger::Minor> rows{};
        std::map<std::string, ledger::Minor> items{};
        [[nodiscard]] std::string take(const MatchPart& part, bool is_return);
    };
    /// At which rate a row of the bank pays a net; none: both are in the house's currency.
    [[nodiscard]] std::optional<ExchangeRate> rate_of_row(
        BankRowNumber row, const NetPayment& payment, const ledger::Terms& terms) const;
    /// What the money of a row was worth on its day; none: it is in the house's currency.
    [[nodiscard]] std::optional<ExchangeRate> rate_of_day(
        BankRowNumber row, const ledger::Terms& terms) const;
    [[nodiscard]] MatchBooking plan_booking(const Match& match, const ledger::Terms& terms) const;
    [[nodiscard]] Content booked(
        const MatchBooking& booking, const Match& match, const ledger::Terms& terms) const;
    void settle_nets(const Content& content);

    /// Whether a match may be booked or undone: no window of it is closed for ever.
    [[nodiscard]] Registered<void> admit(const Match& match) const;
    [[nodiscard]] NewEntry issue_entry(Document document, const IssueTerms& terms) const;
    [[nodiscard]] const IssuedDocument& issued_document(std::string_view number) const;

    ledger::HouseSequence through_{};
    std::vector<std::string> order_; // numbers, as issued
    std::map<std::string, IssuedDocument, std::less<>> issued_;
    std::map<std::string, std::int64_t, std::less<>> last_numbers_; // by series and year
    std::map<std::string, Dispute, std::less<>> disputes_;
    std::map<std::pair<ledger::PartnerId, std::string>, DisputeMessage> dispute_messages_;
    std::map<std::pair<ledger::PartnerId, std::string>, DocumentAnswer> answer_messages_;
    std::map<ledger::Month, DraftSet> drafts_;
    std::map<NetKey, WindowNet> nets_;
    std::map<std::pair<NetKey, std::string>, PaymentFile> files_; // by currency, too
    BankBook bank_;
    std::map<ledger::HouseSequence, Match> matches_;
    std::map<ledger::HouseSequence, MatchBooking> bookings_; // of the matches
    std::vector<Permission> permissions_;
    std::map<ledger::PartnerId, ledger::Minor> collateral_;
    std::map<std::string, DailyRate, std::less<>> rates_;
    std::set<std::string, std::less<>> used_rates_; // by entries
    std::vector<std::pair<DailyRate, std::string>> withdrawn_rates_;
    PaymentCalendar calendar_;
    Closings closings_;
    std::map<std::string, Reminded, std::less<>> reminded_;
    std::vector<RecordedEstimate> estimates_;
    /// Immutable: copies of a register share them.
    std::map<ledger::Month, std::shared_ptr<const std::vector<Restatement>>> restatements_;
};

/// The lines that a document books when it is issued, against what the window accrued. They
/// balance. Pure.
[[nodiscard]] std::vector<ledger::AccountLine> lines_of(
    const Document& document, const ledger::Currency& currency);

/// The series that numbers it: of the house's own documents by kind, of self-billed ones by
/// supplier (EN 16931 BT-1; directive 2006/112/EC, article 226(2)).
[[nodiscard]] std::string series_of(const Document& document);

} // namespace pointhouse::settlement
