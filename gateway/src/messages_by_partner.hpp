#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ledger/books.hpp"
#include "ledger/ids.hpp"

namespace pointhouse::gateway {

/// Booked messages, laid apart by partner. The books have them in the order of the journal, in
/// which all partners are mixed; sorting ten million rows in the database takes longer than reading
/// them. What is beyond a few ten megabytes lies in a file without a name, which goes with this.
/// One thread adds; then any may read.
class MessagesByPartner {
public:
    /// Of the partners 1 to `partners`.
    explicit MessagesByPartner(std::size_t partners);
    ~MessagesByPartner();
    MessagesByPartner(const MessagesByPartner&) = delete;
    MessagesByPartner& operator=(const MessagesByPartner&) = delete;

    /// Throws ledger::StoreFailure when the file cannot be written.
    void add(const ledger::BookedMessage& message);
    [[nodiscard]] std::size_t count_of(ledger::PartnerId partner) const;
    /// In the order in which they were added. Throws ledger::StoreFailure.
    void for_each(
        ledger::PartnerId partner,
        const std::function<void(const ledger::BookedMessage&)>& message) const;

private:
    /// A part of the file.
    struct Piece {
        std::int64_t offset = 0;
        std::size_t bytes = 0;
    };
    struct Messages {
        std::size_t count = 0;
        std::vector<Piece> written{};
        std::string newest{}; // not written yet
    };

    void write(Messages& messages);
    [[nodiscard]] std::string read(const Piece& piece) const;

    std::size_t piece_bytes_;
    std::vector<Messages> partners_; // by number, less one
    int file_ = -1;
    std::int64_t file_bytes_ = 0;
};

} // namespace pointhouse::gateway
