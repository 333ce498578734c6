#include "certs/authority.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/format.h>
#include <memory>
#include <utility>

#include "certificate.hpp"
#include "certs/identity.hpp"
#include "files.hpp"

namespace pointhouse::certs {
namespace {

namespace fs = std::filesystem;
using std::chrono::days;

constexpr days root_validity{3653};
constexpr days issuing_validity{1096};
constexpr days leaf_validity{90};
// A certificate is valid at once on machines whose clocks are a little behind.
constexpr std::chrono::minutes clock_allowance{5};

constexpr std::string_view operator_folder_prefix = "operator-";

/// The names of the files of one certificate.
struct Files {
    explicit Files(const fs::path& folder)
        : certificate{folder / "cert.pem"}, key{folder / "key.pem"}, trust{folder / "ca.pem"}
    {}
    fs::path certificate;
    fs::path key;
    fs::path trust;
};

void make_folder(const fs::path& folder, bool only_owner)
{
    std::error_code error;
    fs::create_directories(folder, error);
    if (!error && only_owner) {
        fs::permissions(folder, fs::perms::owner_all, fs::perm_options::replace, error);
    }
    if (error) {
        throw CertificateFailure{
            fmt::format("cannot make {}: {}", folder.string(), error.message())};
    }
}

/// The key goes first: until the certificate follows, what is in place may not match, but the pair
/// before it is safe in its own folder and issuing again mends it.
void write_pair(const Files& files, const Pair& pair, std::string_view chain)
{
    const auto tag = serial_of(*pair.certificate);
    auto key = pem_of(*pair.key);
    write_file(files.key, key, key_mode, tag);
    OPENSSL_cleanse(key.data(), key.size());
    write_file(files.certificate, pem_of(*pair.certificate).append(chain), certificate_mode, tag);
}

/// Keeps the pair that is about to be replaced: it stays valid until it expires or is revoked.
void keep_previous(const fs::path& folder)
{
    const Files current{folder};
    if (!fs::exists(current.certificate) || !fs::exists(current.key)) return;

    const auto serial = serial_of(*read_certificate(current.certificate));
    const auto previous_folder = folder / fmt::format("previous-{}", serial);
    make_folder(previous_folder, false);
    const Files previous{previous_folder};
    const std::initializer_list<std::pair<const fs::path&, const fs::path&>> moves{
        {current.certificate, previous.certificate},
        {current.key, previous.key},
        {current.trust, previous.trust}};
    for (const auto& [from, to] : moves) {
        std::error_code error;
        if (!fs::exists(to)) fs::create_hard_link(from, to, error);
        if (error) {
            throw CertificateFailure{
                fmt::format("cannot keep {}: {}", from.string(), error.message())};
        }
    }
}

Draft authority_draft(
    std::string common_name, const char* constraints, ledger::Time now, days validity)
{
    return {
        .common_name = std::move(common_name),
        .not_before = now - clock_allowance,
        .not_after = now + validity,
        .extensions =
            {{.nid = NID_basic_constraints, .value = constraints},
             {.nid = NID_key_usage, .value = "critical,keyCertSign,cRLSign"}},
        .alternative_names = nullptr};
}

void require_name(std::string_view what, std::string_view name)
{
    if (!is_certificate_name(name)) {
        throw CertificateFailure{fmt::format(
            "a certificate cannot name the {} \"{}\": 1 to 32 letters, digits, '.', '_' or '-', "
            "the "
            "first a letter or digit",
            what,
            name)};
    }
}

Draft client_draft(std::string_view uri)
{
    Draft draft;
    draft.extensions.push_back({.nid = NID_ext_key_usage, .value = "clientAuth"});
    draft.alternative_names = uri_name(uri);
    return draft;
}

Draft partner_draft(std::string_view id)
{
    require_name("partner", id);
    if (is_reserved_name(id)) {
        throw CertificateFailure{fmt::format("the name \"{}\" is the house's own", id)};
    }
    return client_draft(fmt::format("urn:pointhouse:partner:{}", id));
}

Draft operator_draft(std::string_view name)
{
    require_name("operator", name);
    return client_draft(fmt::format("urn:pointhouse:operator:{}", name));
}

void free_bytes(unsigned char* bytes) noexcept
{
    OPENSSL_free(bytes);
}

} // namespace

struct Authority::Parts {
    fs::path folder;
    Pair issuing;
    std::string trust; // PEM of root and issuing CA

    [[nodiscard]] IssuedCertificate issue(
        const fs::path& name, std::string subject, Draft draft, ledger::Time now) const;
    [[nodiscard]] SignedCertificate sign(
        Draft draft, std::string_view request, ledger::Time now) const;
    void complete(Draft& draft, ledger::Time now) const;
};

void Authority::Parts::complete(Draft& draft, ledger::Time now) const
{
    const auto issuing_end = not_after_of(*issuing.certificate);
    if (now >= issuing_end) {
        throw CertificateFailure{
            fmt::format("the issuing CA expired on {}", ledger::format_time(issuing_end))};
    }
    draft.not_before = now - clock_allowance;
    draft.not_after = std::min<ledger::Time>(now + leaf_validity, issuing_end);
    draft.extensions.push_back({.nid = NID_basic_constraints, .value = "critical,CA:FALSE"});
    draft.extensions.push_back({.nid = NID_key_usage, .value = "critical,digitalSignature"});
}

SignedCertificate Authority::Parts::sign(
    Draft draft, std::string_view request, ledger::Time now) const
{
    complete(draft, now);
    const auto key = key_of_request(request);
    const auto certificate = certify(draft, *key, issuing);
    return {
        .serial = serial_of(*certificate),
        .subject = draft.common_name,
        .not_after = not_after_of(*certificate),
        .certificate = pem_of(*certificate) + pem_of(*issuing.certificate),
        .trust = trust};
}

IssuedCertificate Authority::Parts::issue(
    const fs::path& name, std::string subject, Draft draft, ledger::Time now) const
{
    draft.common_name = subject;
    complete(draft, now);
    const auto pair = make_pair(draft, &issuing);

    const Files files{folder / name};
    make_folder(folder / name, false);
    keep_previous(folder / name);
    const auto serial = serial_of(*pair.certificate);
    write_file(files.trust, trust, certificate_mode, serial);
    write_pair(files, pair, pem_of(*issuing.certificate));
    return {
        .serial = serial,
        .subject = std::move(subject),
        .not_after = not_after_of(*pair.certificate),
        .certificate = files.certificate,
        .key = files.key,
        .trust = files.trust};
}

Authority::Authority(std::unique_ptr<Parts> parts) : parts_{std::move(parts)} {}
Authority::~Authority() = default;
Authority::Authority(Authority&& other) noexcept = default;
Authority& Authority::operator=(Authority&& other) noexcept = default;

Authority Authority::create(const fs::path& folder, ledger::Time now)
{
    if (fs::exists(folder / "ca.pem") || fs::exists(folder / "root") ||
        fs::exists(folder / "issuing")) {
        throw CertificateFailure{
            fmt::format("{} already holds a certificate authority", folder.string())};
    }
    make_folder(folder / "root", true);
    make_folder(folder / "issuing", true);

    const auto root = make_pair(
        authority_draft("Pointhouse root CA", "critical,CA:TRUE,pathlen:1", now, root_validity),
        nullptr);
    auto issuing = make_pair(
        authority_draft(
            "Pointhouse issuing CA", "critical,CA:TRUE,pathlen:0", now, issuing_validity),
        &root);
    write_pair(Files{folder / "root"}, root, {});
    write_pair(Files{folder / "issuing"}, issuing, {});

    auto trust = pem_of(*root.certificate) + pem_of(*issuing.certificate);
    write_file(folder / "ca.pem", trust, certificate_mode, serial_of(*root.certificate));
    return Authority{std::make_unique<Parts>(
        Parts{.folder = folder, .issuing = std::move(issuing), .trust = std::move(trust)})};
}

Authority Authority::open(const fs::path& folder)
{
    const Files files{folder / "issuing"};
    Pair issuing{
        .certificate = read_certificate(files.certificate), .key = read_private_key(files.key)};
    require(
        X509_check_private_key(issuing.certificate.get(), issuing.key.get()) == 1,
        fmt::format("{} does not belong to {}", files.key.string(), files.certificate.string()));
    return Authority{std::make_unique<Parts>(Parts{
        .folder = folder, .issuing = std::move(issuing), .trust = read_file(folder / "ca.pem")})};
}

IssuedCertificate Authority::issue_partner(std::string_view id, ledger::Time now)
{
    return parts_->issue(id, fmt::format("partner:{}", id), partner_draft(id), now);
}

IssuedCertificate Authority::issue_operator(std::string_view name, ledger::Time now)
{
    return parts_->issue(
        fmt::format("{}{}", operator_folder_prefix, name),
        fmt::format("operator:{}", name),
        operator_draft(name),
        now);
}

SignedCertificate Authority::sign_partner(
    std::string_view id, std::string_view request, ledger::Time now) const
{
    auto draft = partner_draft(id);
    draft.common_name = fmt::format("partner:{}", id);
    return parts_->sign(std::move(draft), request, now);
}

SignedCertificate Authority::sign_operator(
    std::string_view name, std::string_view request, ledger::Time now) const
{
    auto draft = operator_draft(name);
    draft.common_name = fmt::format("operator:{}", name);
    return parts_->sign(std::move(draft), request, now);
}

std::string key_digest_of_request(std::string_view pem)
{
    const auto key = key_of_request(pem);
    unsigned char* encoded = nullptr;
    const int length = i2d_PUBKEY(key.get(), &encoded);
    const std::unique_ptr<unsigned char, FreeWith<free_bytes>> bytes{encoded};
    require(length > 0, "cannot write a key");
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    require(
        EVP_Digest(
            encoded,
            static_cast<std::size_t>(length),
            digest.data(),
            &size,
            EVP_sha256(),
            nullptr) == 1,
        "cannot digest a key");
    std::string text;
    for (unsigned int place = 0; place < size; ++place)
        text += fmt::format("{:02x}", digest.at(place));
    return text;
}

IssuedCertificate Authority::issue_server(std::span<const std::string> names, ledger::Time now)
{
    Draft draft;
    draft.extensions.push_back({.nid = NID_ext_key_usage, .value = "serverAuth"});
    add_server_name(draft.alternative_names, "localhost");
    add_server_name(draft.alternative_names, "127.0.0.1");
    for (const auto& name : names) {
        if (name != "localhost" && name != "127.0.0.1") {
            add_server_name(draft.alternative_names, name);
        }
    }
    return parts_->issue("house", "house", std::move(draft), now);
}

bool is_reserved_name(std::string_view partner_id)
{
    return partner_id == "root" || partner_id == "issuing" || partner_id == "house" ||
           partner_id == "ca.pem" || partner_id.starts_with(operator_folder_prefix);
}

} // namespace pointhouse::certs
