#include "certs/identity.hpp"

#include <algorithm>
#include <optional>
#include <span>

#include "certificate.hpp"

namespace pointhouse::certs {
namespace {

constexpr std::string_view partner_prefix = "urn:pointhouse:partner:";
constexpr std::string_view operator_prefix = "urn:pointhouse:operator:";
constexpr std::size_t name_size_max = 32;
constexpr std::size_t serial_digits_min = 32; // 128 bits

using BasicConstraints = std::unique_ptr<BASIC_CONSTRAINTS, FreeWith<BASIC_CONSTRAINTS_free>>;
using BitString = std::unique_ptr<ASN1_BIT_STRING, FreeWith<ASN1_BIT_STRING_free>>;
using ExtendedKeyUsage = std::unique_ptr<EXTENDED_KEY_USAGE, FreeWith<EXTENDED_KEY_USAGE_free>>;

constexpr int digital_signature_bit = 0; // RFC 5280, 4.2.1.3
constexpr int key_cert_sign_bit = 5;

// Null when the extension is missing, stands there twice or cannot be read.
template <class Pointer>
Pointer find_extension(const X509& certificate, int nid)
{
    auto* value = X509_get_ext_d2i(&certificate, nid, nullptr, nullptr);
    ERR_clear_error();
    return Pointer{static_cast<typename Pointer::pointer>(value)};
}

std::string_view text_of(const ASN1_STRING& string)
{
    const std::span<const unsigned char> bytes{
        ASN1_STRING_get0_data(&string), static_cast<std::size_t>(ASN1_STRING_length(&string))};
    // The one cast that OpenSSL's unsigned characters ask for.
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::optional<std::string_view> leaf_fault(const X509& certificate)
{
    const auto constraints = find_extension<BasicConstraints>(certificate, NID_basic_constraints);
    if (!constraints) return "no readable basicConstraints";
    if (constraints->ca != 0) return "a CA certificate";

    const auto usage = find_extension<BitString>(certificate, NID_key_usage);
    if (!usage) return "no readable keyUsage";
    if (ASN1_BIT_STRING_get_bit(usage.get(), digital_signature_bit) == 0) {
        return "keyUsage without digitalSignature";
    }
    if (ASN1_BIT_STRING_get_bit(usage.get(), key_cert_sign_bit) != 0) {
        return "keyUsage with keyCertSign";
    }

    const auto purposes = find_extension<ExtendedKeyUsage>(certificate, NID_ext_key_usage);
    if (!purposes) return "no readable extendedKeyUsage";
    if (sk_ASN1_OBJECT_num(purposes.get()) != 1 ||
        OBJ_obj2nid(sk_ASN1_OBJECT_value(purposes.get(), 0)) != NID_client_auth) {
        return "extendedKeyUsage is not clientAuth alone";
    }
    return std::nullopt;
}

} // namespace

bool is_certificate_name(std::string_view name)
{
    const auto is_alphanumeric = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    const auto is_allowed = [&](char c) {
        return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= name_size_max && is_alphanumeric(name.front()) &&
           std::ranges::all_of(name, is_allowed);
}

std::string serial_of(const X509& certificate)
{
    const BigNumber number{ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr)};
    require(number != nullptr, "cannot read a certificate's serial number");

    const Text digits{BN_bn2hex(number.get())};
    require(digits != nullptr, "cannot write a certificate's serial number");
    std::string serial{digits.get()};
    for (char& digit : serial) {
        if (digit >= 'A' && digit <= 'F') digit = static_cast<char>(digit - 'A' + 'a');
    }
    if (serial.size() < serial_digits_min) serial.insert(0, serial_digits_min - serial.size(), '0');
    return serial;
}

ledger::Result<Identity, std::string> identity_of(const X509& certificate)
{
    if (const auto fault = leaf_fault(certificate)) return std::unexpected(std::string{*fault});

    const auto names = find_extension<GeneralNames>(certificate, NID_subject_alt_name);
    if (!names) return std::unexpected("no readable subjectAltName");
    if (sk_GENERAL_NAME_num(names.get()) != 1) return std::unexpected("not exactly one name");
    const GENERAL_NAME* only = sk_GENERAL_NAME_value(names.get(), 0);
    if (only->type != GEN_URI) return std::unexpected("its name is not a URI");

    Identity identity;
    auto name = text_of(*only->d.uniformResourceIdentifier);
    if (name.starts_with(partner_prefix)) {
        name.remove_prefix(partner_prefix.size());
    } else if (name.starts_with(operator_prefix)) {
        identity.kind = Identity::Kind::house_operator;
        name.remove_prefix(operator_prefix.size());
    } else {
        return std::unexpected("its URI names neither a partner nor an operator");
    }
    // The alphabet leaves no room for a NUL, an escape, a further colon or a blank.
    if (!is_certificate_name(name)) return std::unexpected("its URI names nobody that can be");
    identity.name = name;
    identity.serial = serial_of(certificate);
    identity.not_after = not_after_of(certificate);
    return identity;
}

} // namespace pointhouse::certs
