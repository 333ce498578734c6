#include "request_guard.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace pointhouse::gateway {
namespace {

using namespace std::string_literals;

const GuardRules rules{{"127.0.0.1", "127.0.0.1:8443", "gateway.example:8443"}};

std::string get(const std::string& target, const std::string& more = {})
{
    return "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1:8443\r\n" + more + "\r\n";
}

std::string post(const std::string& more)
{
    return "POST /v1/accruals HTTP/1.1\r\nHost: 127.0.0.1:8443\r\n" + more + "\r\n";
}

const std::string json = "Content-Type: application/json\r\n";

/// The code that the header gets, or "passed".
std::string code_of(const std::string& header)
{
    const auto verdict = judge_header(header, rules);
    return verdict.fault ? std::string{verdict.fault->code} : "passed";
}

struct Case {
    std::string header;
    std::string code;
};

std::string printable(const std::string& text)
{
    std::string out;
    for (const char c : text.substr(0, 300)) {
        const bool is_plain = c >= ' ' && c <= '~';
        out += is_plain ? std::string{c} : "\\" + std::to_string(static_cast<unsigned char>(c));
    }
    return out;
}

void expect_all(const std::vector<Case>& cases)
{
    for (const Case& each : cases) {
        EXPECT_EQ(code_of(each.header), each.code) << printable(each.header);
    }
}

TEST(RequestGuard, RefusesEveryTransferEncoding)
{
    const std::vector<std::string> values{
        "chunked",           "Chunked",           "gzip",     "identity",
        "chunked, identity", "identity, chunked", "xchunked", "chunkedx",
        "chunked;q=1",       "\"chunked\"",       "",         " ",
        "gzip, chunked",     ",chunked",          "chunked,", "\tchunked",
        "chunked\t",         "chunked, chunked",  "cow",      "trailers"};
    std::vector<Case> cases;
    for (const auto& value : values) {
        for (const std::string name :
             {"Transfer-Encoding", "transfer-encoding", "TRANSFER-ENCODING"}) {
            const auto line = name + ": " + value + "\r\n";
            cases.push_back({post(json + line), "length_required"});
            cases.push_back({post(json + line + "Content-Length: 4\r\n"), "length_required"});
            cases.push_back({post(json + "Content-Length: 4\r\n" + line), "length_required"});
            cases.push_back({get("/v1/echo", line), "length_required"});
            cases.push_back({post(json + line + line), "length_required"});
        }
    }
    expect_all(cases);
    for (const auto& each : cases) EXPECT_TRUE(judge_header(each.header, rules).fault->closes);
}

TEST(RequestGuard, RefusesHiddenTransferEncodings)
{
    expect_all({
        {post(json + "Transfer-Encoding : chunked\r\nContent-Length: 4\r\n"), "malformed"},
        {post(json + " Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"), "malformed"},
        {post(json + "Transfer-Encoding\t: chunked\r\n"), "malformed"},
        {post(json + "Transfer\x0b-Encoding: chunked\r\n"), "malformed"},
        {post(json + "Transfer-Encoding\r\n : chunked\r\nContent-Length: 4\r\n"), "malformed"},
        {post(json + "X: y\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n"), "malformed"},
        {post(json + "X: y\rTransfer-Encoding: chunked\r\nContent-Length: 4\r\n"), "malformed"},
        {post(json + "X: y\r\n\tTransfer-Encoding: chunked\r\nContent-Length: 4\r\n"), "malformed"},
        {post(json + "Transfer-Encoding:\r\n chunked\r\n"), "malformed"},
    });
}

TEST(RequestGuard, RefusesContentLengthsThatParsersDisagreeAbout)
{
    std::vector<Case> cases;
    for (const std::string value :
         {"-1",   "+4", "4 4", "4,4",   "4, 4", "4,5", "0x4", "4.0",   "4e0", "",   " ",
          "four", "4;", "'4'", "\"4\"", "4 ,",  ",4",  "٤",   "4\x0b", "1_0", "-0", "4\t4"}) {
        cases.push_back({post(json + "Content-Length: " + value + "\r\n"), "malformed"});
        cases.push_back({get("/v1/echo", "Content-Length: " + value + "\r\n"), "malformed"});
    }
    for (const std::string pair :
         {"4\r\nContent-Length: 4",
          "4\r\nContent-Length: 5",
          "4\r\nX: y\r\ncontent-length: 4",
          "0\r\nCONTENT-LENGTH: 0"}) {
        cases.push_back({post(json + "Content-Length: " + pair + "\r\n"), "malformed"});
    }
    expect_all(cases);
    expect_all({
        {post(json), "length_required"},
        {post(json + "Content-Length: 1048577\r\n"), "too_large"},
        {post(json + "Content-Length: 8388609\r\n"), "too_large"},
        {post(json + "Content-Length: 18446744073709551615\r\n"), "too_large"},
        {get("/v1/echo", "Content-Length: 1\r\n"), "too_large"},
        {get("/v1/echo", "Content-Length: 0\r\n"), "passed"},
        {post(json + "Content-Length: 1048576\r\n"), "passed"},
        {post(json + "Content-Length: 0004\r\n"), "passed"},
        {post(json + "Content-Length:4\r\n"), "passed"},
        {post(json + "Content-Length:   4  \r\n"), "passed"},
    });
    // Beyond 64 bits: refused one way or the other, and closed.
    EXPECT_NE(code_of(post(json + "Content-Length: 18446744073709551620\r\n")), "passed");
    EXPECT_NE(code_of(post(json + "Content-Length: 99999999999999999999999\r\n")), "passed");
}

TEST(RequestGuard, AsksForExactlyOneHostOfItsOwn)
{
    const auto with = [](const std::string& hosts) {
        return "GET /v1/echo HTTP/1.1\r\n" + hosts + "\r\n";
    };
    expect_all({
        {with(""), "malformed"},
        {with("Host: 127.0.0.1\r\nHost: 127.0.0.1\r\n"), "malformed"},
        {with("Host: 127.0.0.1\r\nhost: evil.example\r\n"), "malformed"},
        {with("Host: evil.example\r\nHost: 127.0.0.1\r\n"), "malformed"},
        {with("Host: evil.example\r\n"), "malformed"},
        {with("Host:\r\n"), "malformed"},
        {with("Host: 127.0.0.1:8444\r\n"), "malformed"},
        {with("Host: 127.0.0.1, 127.0.0.1\r\n"), "malformed"},
        {with("Host: 127.0.0.1 127.0.0.1\r\n"), "malformed"},
        {with("Host: user@127.0.0.1\r\n"), "malformed"},
        {with("Host: 127.0.0.1/\r\n"), "malformed"},
        {with("Host: gateway.example\r\n"), "malformed"},
        {with("Host: gateway.example:8443.evil.example\r\n"), "malformed"},
        {with("Host: 127.0.0.1\r\n"), "passed"},
        {with("host: 127.0.0.1:8443\r\n"), "passed"},
        {with("HOST:GATEWAY.example:8443\r\n"), "passed"},
    });
}

TEST(RequestGuard, RefusesControlCharactersWhereverTheyStand)
{
    for (int byte = 0; byte < 256; ++byte) {
        const bool is_control = byte < 0x20 || byte == 0x7f;
        const std::string c(1, static_cast<char>(byte));
        const auto target = code_of(get("/v1/messages/a" + c + "b"));
        const bool may_stand_in_target = byte > 0x20 && byte < 0x7f && byte != '#' &&
                                         byte != '\\' && byte != '%' && byte != '/' && byte != '?';
        if (may_stand_in_target) {
            EXPECT_EQ(target, "passed") << byte;
        } else if (byte != '/' && byte != '?') {
            EXPECT_EQ(target, "malformed") << byte;
        }
        const auto value = code_of(get("/v1/echo", "X: a" + c + "b\r\n"));
        EXPECT_EQ(value, is_control && byte != '\t' ? "malformed" : "passed") << byte;
        const bool is_token =
            std::isalnum(byte) != 0 ||
            (byte < 0x80 && "!#$%&'*+-.^_`|~"s.find(static_cast<char>(byte)) != std::string::npos);
        // A colon ends the name early, which is a name all the same.
        const auto name = code_of(get("/v1/echo", "X" + c + "Y: z\r\n"));
        EXPECT_EQ(name, (is_token && byte != 0) || byte == ':' ? "passed" : "malformed") << byte;
    }
}

TEST(RequestGuard, RefusesRequestLinesThatAreNotExact)
{
    const auto line = [](const std::string& text) { return text + "\r\nHost: 127.0.0.1\r\n\r\n"; };
    std::vector<Case> cases;
    for (const std::string text :
         {"",
          " ",
          "GET",
          "GET /v1/echo",
          "GET /v1/echo HTTP/2.0",
          "GET /v1/echo HTTP/1.2",
          "GET /v1/echo HTTP/0.9",
          "GET /v1/echo HTTP/3.1",
          "GET /v1/echo http/1.1",
          "GET /v1/echo HTTP/1.1 ",
          "GET /v1/echo  HTTP/1.1",
          "GET  /v1/echo HTTP/1.1",
          " GET /v1/echo HTTP/1.1",
          "GET\t/v1/echo HTTP/1.1",
          "GET /v1/echo\tHTTP/1.1",
          "GET /v1/echo HTTP/1.1 HTTP/1.1",
          "GET /v1/echo HTTP/11",
          "GET /v1/echo HTTP/1.10",
          "GET /v1/echo HTTP/01.1",
          "GET /v1/echo HTTPS/1.1",
          "(GET) /v1/echo HTTP/1.1",
          "GET: /v1/echo HTTP/1.1",
          "PRI * HTTP/2.0",
          "GET * HTTP/1.1",
          "OPTIONS * HTTP/1.1",
          "GET v1/echo HTTP/1.1",
          "GET http://127.0.0.1/v1/echo HTTP/1.1",
          "GET https://127.0.0.1:8443/v1/echo HTTP/1.1",
          "CONNECT 127.0.0.1:8443 HTTP/1.1",
          "GET /v1/echo#part HTTP/1.1",
          "GET /v1\\echo HTTP/1.1",
          "GET /v1/%00 HTTP/1.1",
          "GET /v1/echo%00 HTTP/1.1",
          "GET /v1/echo?a=%00 HTTP/1.1",
          "GET /v1/echo% HTTP/1.1",
          "GET /v1/echo%2 HTTP/1.1",
          "GET /v1/echo%zz HTTP/1.1",
          "GET /v1/echo?%4 HTTP/1.1",
          "GET /v1/./echo HTTP/1.1",
          "GET /v1/../echo HTTP/1.1",
          "GET /.. HTTP/1.1",
          "GET /. HTTP/1.1",
          "GET /v1/echo/.. HTTP/1.1",
          "GET /v1/%2e%2e/echo HTTP/1.1",
          "GET /v1/%2E/echo HTTP/1.1",
          "GET /v1/.%2e/echo HTTP/1.1",
          "GET /v1/%2e. HTTP/1.1",
          "GET /v1/messages/.. HTTP/1.1",
          "GET /v1/messages/%2e HTTP/1.1"}) {
        cases.push_back({line(text), "malformed"});
    }
    cases.push_back({"\r\n" + get("/v1/echo"), "malformed"});
    cases.push_back({"\r\n", "malformed"});
    expect_all(cases);
    expect_all({
        {line("GET /v1/echo HTTP/1.1"), "passed"},
        {line("GET /v1/echo HTTP/1.0"), "passed"},
        {line("GET /v1/echo? HTTP/1.1"), "passed"},
        {line("GET /v1/echo?a=/../b HTTP/1.1"), "passed"},
        {line("GET /v1/messages/... HTTP/1.1"), "passed"},
        {line("GET /v1/messages/.a HTTP/1.1"), "passed"},
    });
}

TEST(RequestGuard, KeepsItsBounds)
{
    const auto fields = [](std::size_t count) {
        std::string text;
        for (std::size_t i = 1; i < count; ++i) text += "X: y\r\n"; // and Host
        return text;
    };
    const std::string value(4095, 'v');
    const std::string longer_target = "/v1/messages/" + std::string(2048 - 13 + 1, 'm');
    expect_all({
        {get("/v1/echo", fields(64)), "passed"},
        {get("/v1/echo", fields(65)), "malformed"},
        {get("/v1/echo", "X: " + value + "\r\n"), "passed"},
        {get("/v1/echo", "X: " + value + "v\r\n"), "malformed"},
        {get(longer_target.substr(0, 2048)), "passed"},
        {get(longer_target), "malformed"},
    });
    const auto padded = [](std::size_t size) {
        const std::string frame = get("/v1/echo", "X: \r\nY: \r\nZ: \r\n");
        const std::size_t rest = size - frame.size();
        const std::string part(rest / 3, 'v');
        return get(
            "/v1/echo",
            "X: " + part + "\r\nY: " + part + "\r\nZ: " + std::string(rest - 2 * part.size(), 'v') +
                "\r\n");
    };
    ASSERT_EQ(padded(8192).size(), 8192U);
    EXPECT_EQ(code_of(padded(8192)), "passed");
    EXPECT_EQ(code_of(padded(8193)), "malformed");
}

TEST(RequestGuard, RefusesUpgradesExpectationsAndCodings)
{
    const std::string body = json + "Content-Length: 4\r\n";
    expect_all({
        {get("/v1/echo", "Upgrade: h2c\r\n"), "malformed"},
        {get("/v1/echo", "Upgrade: websocket\r\nConnection: Upgrade\r\n"), "malformed"},
        {get("/v1/echo", "Connection: keep-alive, Upgrade\r\n"), "malformed"},
        {get("/v1/echo", "Connection: ,;\r\n"), "malformed"},
        {post(body + "Expect: 200-ok\r\n"), "malformed"},
        {post(body + "Expect: 100-continue, x\r\n"), "malformed"},
        {post(body + "Expect: 100-continue\r\nExpect: 100-continue\r\n"), "malformed"},
        {post(body + "Expect: 100-Continue\r\n"), "passed"},
        {post(body + "Content-Encoding: gzip\r\n"), "media_type_unsupported"},
        {post(body + "Content-Encoding: identity\r\n"), "media_type_unsupported"},
        {post(body + json), "malformed"},
    });
    EXPECT_TRUE(judge_header(post(body + "Expect: 100-continue\r\n"), rules).head.expects_continue);
}

TEST(RequestGuard, KnowsRoutesMethodsAndTypes)
{
    const auto send = [](const std::string& line, const std::string& type) {
        const auto field = type.empty() ? "" : "Content-Type: " + type + "\r\n";
        return line + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + field + "Content-Length: 4\r\n\r\n";
    };
    const std::string unsupported = "media_type_unsupported";
    expect_all({
        {send("POST /v1/accruals", "application/json"), "passed"},
        {send("POST /v1/accruals", "Application/JSON; charset=UTF-8"), "passed"},
        {send("POST /v1/accruals", "application/json;charset=\"utf-8\""), "passed"},
        {send("POST /v1/accruals", "application/x-protobuf"), "passed"},
        {send("POST /v1/batches", "application/x-ndjson"), "passed"},
        {send("POST /v1/batches", "application/x-protobuf; messageType=x"), "passed"},
        {send("POST /v1/accruals", ""), unsupported},
        {send("POST /v1/accruals", "text/plain"), unsupported},
        {send("POST /v1/accruals", "application/json; charset=utf-16"), unsupported},
        {send("POST /v1/accruals", "application/jsonx"), unsupported},
        {send("POST /v1/accruals", "application/x-ndjson"), unsupported},
        {send("POST /v1/accruals", "application/x-www-form-urlencoded"), unsupported},
        {send("POST /v1/batches", "application/json"), unsupported},
        {send("POST /v1/nothing", "application/json"), "route_unknown"},
        {send("POST /v1/accruals/", "application/json"), "route_unknown"},
        {send("POST //v1/accruals", "application/json"), "route_unknown"},
        {send("POST /V1/accruals", "application/json"), "route_unknown"},
        {send("PUT /v1/accruals", "application/json"), "method_not_allowed"},
        {send("post /v1/accruals", "application/json"), "method_not_allowed"},
        {send("POST /v1/echo", "application/json"), "method_not_allowed"},
        {get("/v1/accruals"), "method_not_allowed"},
        {get("/"), "route_unknown"},
        {get("/v1/members/"), "route_unknown"},
        {get("/v1/members/a/b"), "route_unknown"},
        {get("/v1/members/a/entries/"), "route_unknown"},
        {get("/v1/members//entries"), "route_unknown"},
    });
}

TEST(RequestGuard, SaysWhichFaultsLeaveTheConnectionUsable)
{
    const auto closes = [](const std::string& header) {
        return judge_header(header, rules).fault.value().closes;
    };
    EXPECT_FALSE(closes(get("/nowhere")));
    EXPECT_FALSE(closes(get("/v1/accruals")));
    EXPECT_FALSE(closes(post("Content-Length: 4\r\n")));
    EXPECT_TRUE(closes(post(json)));
    EXPECT_TRUE(closes(post(json + "Content-Length: 1048577\r\n")));
    EXPECT_TRUE(closes(get("/v1/echo", "Upgrade: h2c\r\n")));
    // Too long to be read only to be thrown away.
    EXPECT_TRUE(
        closes("POST /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1048577\r\n\r\n"));
}

TEST(RequestGuard, SaysWhatTheRequestIs)
{
    const std::string header =
        "GET /v1/members/card%3A77/entries?limit=5&cursor=x HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Accept: text/html, application/x-protobuf\r\n\r\n";
    const auto [head, fault] = judge_header(header, rules);

    ASSERT_FALSE(fault) << fault->detail;
    EXPECT_EQ(head.route->id, RouteId::member_entries);
    EXPECT_EQ(head.argument, "card%3A77");
    EXPECT_EQ(head.query, "limit=5&cursor=x");
    EXPECT_EQ(head.answer_type, MediaType::protobuf);
    EXPECT_EQ(head.body_bytes, 0U);
    EXPECT_FALSE(head.closes);
    EXPECT_TRUE(judge_header(get("/v1/echo", "Connection: close\r\n"), rules).head.closes);
    const std::string old =
        "GET /v1/echo HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n";
    EXPECT_TRUE(judge_header(old, rules).head.closes);
}

TEST(RequestGuard, AnswersInTheTypeThatIsAskedForElseInTheBodys)
{
    const auto answer_type = [](const std::string& type, const std::string& accept) {
        const auto field = accept.empty() ? "" : "Accept: " + accept + "\r\n";
        return judge_header(
                   post("Content-Type: " + type + "\r\nContent-Length: 0\r\n" + field), rules)
            .head.answer_type;
    };
    EXPECT_EQ(answer_type("application/json", ""), MediaType::json);
    EXPECT_EQ(answer_type("application/x-protobuf", ""), MediaType::protobuf);
    EXPECT_EQ(answer_type("application/x-protobuf", "*/*"), MediaType::protobuf);
    EXPECT_EQ(answer_type("application/x-protobuf", "application/json"), MediaType::json);
    EXPECT_EQ(answer_type("application/json", "application/x-protobuf"), MediaType::protobuf);
    EXPECT_EQ(answer_type("application/x-protobuf", "application/problem+json"), MediaType::json);
    EXPECT_EQ(answer_type("text/plain", ""), MediaType::json);
    EXPECT_EQ(answer_type("text/csv", ""), MediaType::json);
    EXPECT_EQ(answer_type("application/json", "text/html"), MediaType::json); // of the problem
    EXPECT_EQ(
        answer_type("application/json", "text/html, application/x-protobuf;q=0.1"),
        MediaType::protobuf);
}

TEST(RequestGuard, RefusesWhatThePathHasNoTypeFor)
{
    const auto code_of = [](const std::string& path, const std::string& accept) {
        const auto fault = judge_header(get(path, "Accept: " + accept + "\r\n"), rules).fault;
        if (fault) EXPECT_FALSE(fault->closes) << path;
        return fault ? std::string{fault->code} : "";
    };
    EXPECT_EQ(code_of("/v1/echo", "text/html"), "not_acceptable");
    EXPECT_EQ(code_of("/v1/echo", "application/pdf"), "not_acceptable");
    EXPECT_EQ(
        code_of("/v1/echo", "application/json;q=0, application/x-protobuf;q=0.0"),
        "not_acceptable");
    EXPECT_EQ(code_of("/v1/echo", "text/html, */*;q=0.1"), "");
    EXPECT_EQ(code_of("/v1/echo", ""), "");
    EXPECT_EQ(code_of("/v1/documents/INV-1", "application/pdf"), "");
    EXPECT_EQ(code_of("/v1/documents/INV-1", "text/csv"), "not_acceptable");
    EXPECT_EQ(code_of("/v1/reconciliation/2026-06", "application/json"), "not_acceptable");
    EXPECT_EQ(code_of("/v1/reconciliation/2026-06", "text/*"), "");
    EXPECT_EQ(code_of("/openapi.json", "application/x-protobuf"), "not_acceptable");
}

TEST(RequestGuard, ReadsAllAcceptFieldsAsOneList)
{
    const auto header =
        get("/v1/documents/INV-1",
            "Accept: application/pdf;q=0.2\r\nX: y\r\nAccept: application/xml;q=0.3\r\n");
    EXPECT_EQ(judge_header(header, rules).head.answer_type, MediaType::xml);
}

TEST(RequestGuard, FindsTheEndOfAHeaderHoweverItArrives)
{
    const std::string header = get("/v1/echo", "X: y\r\n");
    const std::string bytes = header + "next";
    std::size_t scanned = 0;
    for (std::size_t size = 0; size < header.size(); ++size) {
        ASSERT_EQ(find_header_end(bytes.substr(0, size), scanned), HeaderState::incomplete) << size;
    }
    EXPECT_EQ(find_header_end(bytes, scanned), HeaderState::complete);
    EXPECT_EQ(scanned, header.size());

    for (const std::string text :
         {"GET / HTTP/1.1\n", "\n", "GET / HTTP/1.1\r\nHost: x\n\n", "\r\r\n\n"}) {
        std::size_t start = 0;
        EXPECT_EQ(find_header_end(text, start), HeaderState::malformed) << printable(text);
    }
}

/// What a careless reader makes of a header: lines at CR LF, names up to the first colon.
struct NaiveReading {
    std::size_t hosts = 0;
    std::size_t lengths = 0;
    std::size_t encodings = 0;
    std::string length;
    bool is_odd = false;
};

NaiveReading read_naively(const std::string& header)
{
    NaiveReading reading;
    std::size_t at = header.find("\r\n") + 2;
    while (at < header.size()) {
        const std::size_t end = header.find("\r\n", at);
        const std::string line = header.substr(at, end - at);
        at = end + 2;
        if (line.empty()) break;
        std::string name = line.substr(0, line.find(':'));
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
        std::erase_if(name, [](unsigned char c) { return c <= ' '; });
        reading.is_odd |= line.find(':') == std::string::npos ||
                          line.find_first_of("\r\n"s + '\0') != std::string::npos;
        reading.hosts += name == "host" ? 1U : 0U;
        reading.encodings += name == "transfer-encoding" ? 1U : 0U;
        if (name != "content-length") continue;
        ++reading.lengths;
        const auto value = line.substr(line.find(':') + 1);
        const auto first = value.find_first_not_of(" \t");
        if (first != std::string::npos)
            reading.length = value.substr(first, value.find_last_not_of(" \t") - first + 1);
    }
    reading.is_odd |= at != header.size();
    return reading;
}

// Property: whatever is done to a good header, it is refused, or every reader reads the same from
// it.
TEST(RequestGuard, PassesNothingThatTwoReadersReadDifferently)
{
    const std::vector<std::string> pieces{
        "\r\n",
        "\n",
        "\r",
        " ",
        "\t",
        ":",
        ",",
        "\0"s,
        "\x0b",
        "Host: 127.0.0.1\r\n",
        "Content-Length: 4\r\n",
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "\r\n ",
        "content-length",
        "4",
        "HTTP/1.1",
        "chunked",
        "\r\n\r\n",
        "X",
        "\xff",
        "%",
        "/",
        "..",
        "-",
        "+"};
    const std::string good = post(json + "Content-Length: 4\r\nAccept: */*\r\n");
    std::size_t passed = 0;
    for (std::uint64_t seed = 0; seed < 80'000; ++seed) {
        std::mt19937_64 random{seed};
        std::string header = good;
        for (std::uint64_t changes = 1 + random() % 3; changes > 0; --changes) {
            const std::size_t at = random() % header.size();
            const auto kind = random() % 3;
            if (kind == 0) header.insert(at, pieces[random() % pieces.size()]);
            if (kind == 1) header.erase(at, 1 + random() % 4);
            if (kind == 2) header[at] = static_cast<char>(random());
            if (header.size() < 4) break;
        }
        std::size_t scanned = 0;
        if (find_header_end(header, scanned) != HeaderState::complete) continue;
        header.resize(scanned);
        const auto [head, fault] = judge_header(header, rules);
        if (fault) continue;
        ++passed;
        const NaiveReading reading = read_naively(header);
        ASSERT_FALSE(reading.is_odd) << "seed " << seed << ": " << printable(header);
        ASSERT_EQ(reading.hosts, 1U) << "seed " << seed << ": " << printable(header);
        ASSERT_EQ(reading.encodings, 0U) << "seed " << seed << ": " << printable(header);
        ASSERT_EQ(reading.lengths, 1U) << "seed " << seed << ": " << printable(header);
        ASSERT_EQ(head.body_bytes, std::stoull(reading.length))
            << "seed " << seed << ": " << printable(header);
    }
    EXPECT_GT(passed, 1'000U); // else the property has tested nothing
}

TEST(Router, FindsEachRouteByItsOwnPathAndNoOther)
{
    for (const Route& route : routes()) {
        std::string path{route.path};
        const auto open = path.find('{');
        if (open != std::string::npos) path.replace(open, path.find('}') - open + 1, "a.b:c");
        const std::string_view method = route.method == Method::get ? "GET" : "POST";
        const auto match = match_route(method, path);
        ASSERT_NE(match.route, nullptr) << path;
        EXPECT_EQ(match.route->id, route.id) << path;
        EXPECT_EQ(match.argument, open == std::string::npos ? "" : "a.b:c");
        EXPECT_NE(allowed_methods(path).find(method), std::string_view::npos);
        EXPECT_EQ(match_route(method, path + "/").route, nullptr) << path;
        EXPECT_EQ(match_route("DELETE", path).route, nullptr) << path;
    }
    EXPECT_EQ(allowed_methods("/v1/members/lookup"), "GET, POST");
    EXPECT_EQ(allowed_methods("/v1/accruals"), "POST");
    EXPECT_EQ(allowed_methods("/v1/none"), "");
}

TEST(Router, KnowsTheRoutesOfOneHousesOperatorsBesideThoseOfAll)
{
    const std::vector<Route> own{
        {.id = RouteId::operator_request,
         .method = Method::get,
         .form = BodyForm::none,
         .path = "/v1/operator/window/list"},
        {.id = RouteId::operator_request,
         .method = Method::post,
         .form = BodyForm::file,
         .path = "/v1/operator/bank/import",
         .file = MediaType::xml}};
    EXPECT_EQ(match_route("GET", "/v1/operator/window/list").route, nullptr);
    EXPECT_EQ(match_route("GET", "/v1/operator/window/list", own).route, own.data());
    EXPECT_EQ(match_route("POST", "/v1/operator/bank/import", own).route, &own[1]);
    EXPECT_EQ(match_route("GET", "/v1/operator/bank/import", own).route, nullptr);
    EXPECT_EQ(allowed_methods("/v1/operator/bank/import", own), "POST");
    EXPECT_NE(match_route("GET", "/v1/echo", own).route, nullptr);

    EXPECT_TRUE(own[1].takes(MediaType::xml));
    EXPECT_FALSE(own[1].takes(MediaType::json));
    EXPECT_FALSE(own[1].takes(MediaType::protobuf));
    EXPECT_EQ(own[1].body_bytes_max(), file_body_bytes_max);
    const auto* const disputing = match_route("POST", "/v1/disputes").route;
    ASSERT_NE(disputing, nullptr);
    EXPECT_TRUE(disputing->takes(MediaType::json));
    EXPECT_TRUE(disputing->takes(MediaType::protobuf));
    EXPECT_FALSE(disputing->takes(MediaType::xml)) << "it is no file";
    EXPECT_EQ(disputing->body_bytes_max(), message_body_bytes_max);
}

} // namespace
} // namespace pointhouse::gateway
