#include "settlement/ubl.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <pugixml.hpp>
#include <sstream>

#include "../wording.hpp"
#include "ledger/invariant.hpp"
#include "registration_scheme.hpp"

namespace pointhouse::settlement {
namespace {

using ledger::invariant;
using ledger::Micro;
using ledger::Minor;

constexpr const char* unit_of_points = "C62"; // "one", UN/ECE recommendation 20

/// The code of why no tax is due (VATEX code list of the CEF); an exemption has none of its own.
std::string exemption_code_of(std::string_view category)
{
    if (category == "AE") return "VATEX-EU-AE";
    return category == "O" ? "VATEX-EU-O" : "";
}

/// The code of a tax point that is no date on the document (UNTDID 2005, BT-8): a document has that
/// or the date (BT-7), never both (BR-CO-03).
std::string code_of(TaxPoint point)
{
    switch (point) {
    case TaxPoint::issue: return "3";
    case TaxPoint::payment: return "432";
    case TaxPoint::period_end: break;
    }
    return {};
}

/// A line as an invoice counts it: a quantity at a price. Points at several prices, and points
/// whose amount in a currency without decimals is further from their price than Peppol allows
/// (PEPPOL-EN16931-R120: 0.02), are one unit. A price without the tax that the agreed one holds has
/// the decimals that the line's net takes: EN 16931 bounds those of amounts, not of item prices.
struct Quantity {
    std::int64_t count = 1;
    std::string price;
    bool is_points = false;
};

Quantity quantity_of(const DocumentLine& line, const ledger::Currency& currency)
{
    constexpr std::int64_t slack_micro = 20'000;
    if (line.vat.is_gross && line.price && line.points != 0)
        return {
            .count = line.points,
            .price = net_price_per_thousand(line, currency),
            .is_points = true};
    const std::int64_t rounding = line.net.count * micro_per_minor(currency) - line.exact.count();
    if (!line.vat.is_gross && line.price && std::abs(rounding) < slack_micro) {
        // Micro-units per point are thousandths per 1,000 points.
        const ledger::Currency thousandths{.code = {}, .minor_digits = 3};
        return {
            .count = line.points,
            .price = format_minor(Minor{line.price->count()}, thousandths),
            .is_points = true};
    }
    return {
        .count = line.net < Minor{} ? -1 : 1,
        .price = format_minor(Minor{std::abs(line.net.count)}, currency),
    };
}

std::string description_of(const DocumentLine& line)
{
    std::string text =
        fmt::format("Tariff {}, {}", line.tariff.value(), month_in_words(line.origin));
    if (line.vat.is_gross && line.price)
        text += fmt::format(", {} per 1,000 with VAT", price_per_thousand(*line.price, 2));
    if (line.price) return text;
    if (line.vat.is_gross) text += ", prices with VAT";
    std::string_view separator = ": ";
    for (const LineDetail& detail : line.details) {
        text += fmt::format(
            "{}{} points {} at {} per 1,000",
            separator,
            points_in_words(detail.points),
            label_of(detail.kind, line.charge),
            price_per_thousand(detail, 2));
        separator = "; ";
    }
    return text;
}

/// What of a line is of earlier months (BT-127); empty: nothing.
std::string note_of(const DocumentLine& line)
{
    std::string text;
    for (const EarlierPart& part : line.earlier) {
        text += text.empty() ? "Of which " : "; ";
        text += earlier_in_words(part, line.charge);
    }
    return text;
}

/// Writes one document. Elements come in the order of the schema.
class UblWriter {
    using Node = pugi::xml_node;

public:
    explicit UblWriter(const Document& document)
        : document_{document}, is_credit_{is_credit(document.kind)},
          is_outside_scope_{document.lines.front().vat.category == "O"}
    {
        Node declaration = xml_.append_child(pugi::node_declaration);
        declaration.append_attribute("version") = "1.0";
        declaration.append_attribute("encoding") = "UTF-8";
        const char* name = is_credit_ ? "CreditNote" : "Invoice";
        root_ = xml_.append_child(name);
        const std::string schema =
            fmt::format("urn:oasis:names:specification:ubl:schema:xsd:{}-2", name);
        root_.append_attribute("xmlns") = schema.c_str();
        root_.append_attribute("xmlns:cac") =
            "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2";
        root_.append_attribute("xmlns:cbc") =
            "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2";
    }

    std::string written()
    {
        add_header();
        add_references();
        add_party("cac:AccountingSupplierParty", document_.seller);
        add_party("cac:AccountingCustomerParty", document_.buyer);
        add_payment();
        add_tax();
        add_totals();
        for (std::size_t index = 0; index < document_.lines.size(); ++index) add_line(index);
        std::ostringstream text;
        xml_.save(text, "  ", pugi::format_indent, pugi::encoding_utf8);
        return text.str();
    }

private:
    // Peppol allows no empty element: what is not known is not there.
    static Node add(Node parent, const char* name, const std::string& text)
    {
        if (text.empty()) return {};
        Node node = parent.append_child(name);
        node.text().set(text.c_str());
        return node;
    }

    void add_amount(Node parent, const char* name, Minor amount) const
    {
        add(parent, name, format_minor(amount, document_.currency)).append_attribute("currencyID") =
            document_.currency.code.c_str();
    }

    static void add_tax_scheme(Node parent)
    {
        add(parent.append_child("cac:TaxScheme"), "cbc:ID", "VAT");
    }

    void add_header()
    {
        const bool is_self_billed = settlement::is_self_billed(document_.kind);
        const std::string_view profile = is_self_billed ? "selfbilling" : "billing";
        add(root_,
            "cbc:CustomizationID",
            fmt::format(
                "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:{}:3.0", profile));
        add(root_, "cbc:ProfileID", fmt::format("urn:fdc:peppol.eu:2017:poacc:{}:01:1.0", profile));
        add(root_, "cbc:ID", document_.number);
        add(root_, "cbc:IssueDate", ledger::format_day(document_.issued_on));
        const bool has_tax_point = document_.to != document_.issued_on && !is_outside_scope_ &&
                                   document_.tax_point() == TaxPoint::period_end;
        const std::string tax_point = has_tax_point ? ledger::format_day(document_.to) : "";
        const std::string code = fmt::to_string(static_cast<int>(document_.kind));
        if (is_credit_) {
            add(root_, "cbc:TaxPointDate", tax_point);
            add(root_, "cbc:CreditNoteTypeCode", code);
            add(root_, "cbc:Note", note());
        } else {
            add(root_, "cbc:DueDate", ledger::format_day(document_.due_on));
            add(root_, "cbc:InvoiceTypeCode", code);
            add(root_, "cbc:Note", note());
            add(root_, "cbc:TaxPointDate", tax_point);
        }
        add(root_, "cbc:DocumentCurrencyCode", document_.currency.code);
        if (has_accounting())
            add(root_, "cbc:TaxCurrencyCode", document_.accounting->currency.code);
        add(root_, "cbc:BuyerReference", document_.buyer.id);
    }

    // The words that article 226(7a) and (10a) ask for, and why there is a correction: in the one
    // note that Peppol allows.
    [[nodiscard]] std::string note() const
    {
        std::string text{words_of_self_billing(document_.kind)};
        const auto append = [&](std::string_view words) {
            if (!words.empty()) text.append(text.empty() ? "" : " ").append(words);
        };
        append(words_of_tax_point(document_.tax_point()));
        if (document_.corrects) append(document_.reason);
        return text;
    }

    [[nodiscard]] bool has_accounting() const
    {
        return document_.accounting && document_.accounting->currency != document_.currency;
    }

    void add_references()
    {
        const Node period = root_.append_child("cac:InvoicePeriod");
        add(period, "cbc:StartDate", ledger::format_day(document_.from));
        add(period, "cbc:EndDate", ledger::format_day(document_.to));
        add(period, "cbc:DescriptionCode", code_of(document_.tax_point()));
        for (const auto& [number, issued_on] : document_.preceding()) {
            const Node preceding = root_.append_child("cac:BillingReference")
                                       .append_child("cac:InvoiceDocumentReference");
            add(preceding, "cbc:ID", number);
            add(preceding, "cbc:IssueDate", ledger::format_day(issued_on));
        }
    }

    void add_party(const char* role, const LegalParty& party)
    {
        Node node = root_.append_child(role).append_child("cac:Party");
        add(node, "cbc:EndpointID", party.endpoint).append_attribute("schemeID") =
            party.endpoint_scheme.c_str();
        add(node.append_child("cac:PartyIdentification"), "cbc:ID", party.id);
        Node address = node.append_child("cac:PostalAddress");
        add(address, "cbc:StreetName", party.street);
        add(address, "cbc:CityName", party.city);
        add(address, "cbc:PostalZone", party.postal_code);
        add(address.append_child("cac:Country"), "cbc:IdentificationCode", party.country);
        // Outside the scope of VAT neither may be named by its VAT identifier (BR-O-02).
        if (!party.vat_id.empty() && !is_outside_scope_) {
            const Node tax = node.append_child("cac:PartyTaxScheme");
            add(tax, "cbc:CompanyID", party.vat_id);
            add_tax_scheme(tax);
        }
        const Node legal = node.append_child("cac:PartyLegalEntity");
        add(legal, "cbc:RegistrationName", party.name);
        Node registration = add(legal, "cbc:CompanyID", party.registration);
        if (const std::string scheme{registration_scheme_of(party)}; !scheme.empty())
            registration.append_attribute("schemeID") = scheme.c_str();
        if (!party.email.empty())
            add(node.append_child("cac:Contact"), "cbc:ElectronicMail", party.email);
    }

    void add_payment()
    {
        const LegalParty& payee = is_credit_ ? document_.buyer : document_.seller;
        const std::string due = ledger::format_day(document_.due_on);
        if (!payee.iban.empty() && !document_.is_prepaid()) {
            Node means = root_.append_child("cac:PaymentMeans");
            // UNTDID 4461: SEPA credit transfer, or a credit transfer.
            add(means, "cbc:PaymentMeansCode", document_.currency.code == "EUR" ? "58" : "30");
            // A credit note has its due date here, and nowhere else.
            if (is_credit_) add(means, "cbc:PaymentDueDate", due);
            add(means, "cbc:PaymentID", document_.number);
            Node account = means.append_child("cac:PayeeFinancialAccount");
            add(account, "cbc:ID", payee.iban);
            add(account, "cbc:Name", payee.name);
            if (!payee.bic.empty()) {
                const Node branch = account.append_child("cac:FinancialInstitutionBranch");
                add(branch, "cbc:ID", payee.bic);
            }
        }
        const std::string due_in_words = day_in_words(document_.due_on);
        add(root_.append_child("cac:PaymentTerms"),
            "cbc:Note",
            document_.is_prepaid()
                ? std::
                      string{document_.corrects ? "Paid back." : "Paid when the points were bought."}
                : fmt::format("Due {}, {}.", due_in_words, netting_in_words(document_)));
    }

    void add_category(Node parent, const char* name, const VatRate& rate, bool has_reason) const
    {
        const Node category = parent.append_child(name);
        add(category, "cbc:ID", rate.category);
        const ledger::Currency hundredths{.code = {}, .minor_digits = 2};
        if (rate.category != "O")
            add(category, "cbc:Percent", format_minor(Minor{rate.basis_points}, hundredths));
        if (has_reason) {
            const bool is_own =
                rate.category == "E" && !document_.corrects && !document_.reason.empty();
            add(category, "cbc:TaxExemptionReasonCode", exemption_code_of(rate.category));
            add(category,
                "cbc:TaxExemptionReason",
                is_own ? document_.reason : std::string{exemption_in_words(rate.category)});
        }
        add_tax_scheme(category);
    }

    void add_tax()
    {
        Node total = root_.append_child("cac:TaxTotal");
        add_amount(total, "cbc:TaxAmount", document_.tax);
        for (const VatTotal& vat : document_.vat) {
            const Node subtotal = total.append_child("cac:TaxSubtotal");
            add_amount(subtotal, "cbc:TaxableAmount", vat.net);
            add_amount(subtotal, "cbc:TaxAmount", vat.tax);
            add_category(subtotal, "cac:TaxCategory", vat.rate, true);
        }
        if (!has_accounting()) return;
        const AccountingVat& accounting = *document_.accounting;
        add(root_.append_child("cac:TaxTotal"),
            "cbc:TaxAmount",
            format_minor(accounting.tax, accounting.currency))
            .append_attribute("currencyID") = accounting.currency.code.c_str();
    }

    void add_totals()
    {
        const Node totals = root_.append_child("cac:LegalMonetaryTotal");
        add_amount(totals, "cbc:LineExtensionAmount", document_.net);
        add_amount(totals, "cbc:TaxExclusiveAmount", document_.net);
        add_amount(totals, "cbc:TaxInclusiveAmount", document_.net + document_.tax);
        if (document_.is_prepaid()) add_amount(totals, "cbc:PrepaidAmount", document_.total);
        if (const Minor rounding = document_.payable_rounding(); rounding != Minor{})
            add_amount(totals, "cbc:PayableRoundingAmount", rounding);
        add_amount(totals, "cbc:PayableAmount", document_.is_prepaid() ? Minor{} : document_.total);
    }

    void add_line(std::size_t index)
    {
        const DocumentLine& line = document_.lines[index];
        const Quantity quantity = quantity_of(line, document_.currency);
        Node node = root_.append_child(is_credit_ ? "cac:CreditNoteLine" : "cac:InvoiceLine");
        add(node, "cbc:ID", fmt::to_string(index + 1));
        add(node, "cbc:Note", note_of(line));
        add(node,
            is_credit_ ? "cbc:CreditedQuantity" : "cbc:InvoicedQuantity",
            fmt::to_string(quantity.count))
            .append_attribute("unitCode") = unit_of_points;
        add_amount(node, "cbc:LineExtensionAmount", line.net);
        Node item = node.append_child("cac:Item");
        add(item, "cbc:Description", description_of(line));
        add(item, "cbc:Name", std::string{item_name_of(line.charge)});
        add(item.append_child("cac:SellersItemIdentification"),
            "cbc:ID",
            fmt::format("{}-{}", name_of(line.charge), line.tariff.value()));
        add_category(item, "cac:ClassifiedTaxCategory", line.vat, false);
        const Node price = node.append_child("cac:Price");
        add(price, "cbc:PriceAmount", quantity.price).append_attribute("currencyID") =
            document_.currency.code.c_str();
        if (quantity.is_points) {
            add(price, "cbc:BaseQuantity", "1000").append_attribute("unitCode") = unit_of_points;
        }
    }

    const Document& document_;
    bool is_credit_;
    bool is_outside_scope_;
    pugi::xml_document xml_;
    Node root_;
};

} // namespace

std::string ubl_xml(const Document& document)
{
    invariant(
        document.kind != DocumentKind::payment_statement, "a payment statement is no invoice");
    invariant(!document.number.empty(), "what is issued has a number");
    invariant(!document.lines.empty(), "an invoice has lines");
    invariant(!missing_for_invoice(document), "an invoice has what the law asks for");
    return UblWriter{document}.written();
}

} // namespace pointhouse::settlement
