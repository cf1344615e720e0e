#include <algorithm>
#include <cctype>
#include <locale>
#include <sstream>

#include "framepost.hpp"

namespace framepost {

namespace {

// Walks over JSON (RFC 8259) without building anything; what it returns is empty where it is none.
class Walker {
  public:
    explicit Walker(std::string_view text) : text_(text) {}

    bool take(char wanted) {
        at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
        if (at_ == text_.size() || text_[at_] != wanted) return false;
        ++at_;
        return true;
    }

    // With its quotes.
    std::string_view string() {
        const auto begin = at_;
        if (!take('"')) return {};
        const auto quote = at_ - 1;
        for (; at_ < text_.size(); ++at_) {
            if (text_[at_] == '\\') {
                ++at_;
            } else if (text_[at_] == '"') {
                return text_.substr(quote, ++at_ - quote);
            }
        }
        at_ = begin;
        return {};
    }

    std::string_view value() {
        at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
        const auto begin = at_;
        // Not recursive: a reply may be as deep as it likes.
        for (std::size_t depth = 0; at_ < text_.size();) {
            const char c = text_[at_];
            if (c == '"') {
                if (string().empty()) return {};
            } else if (c == '{' || c == '[') {
                ++depth;
                ++at_;
                continue;
            } else if (c == '}' || c == ']') {
                if (depth == 0) return {};
                --depth;
                ++at_;
            } else if (depth > 0) {
                ++at_;
                continue;
            } else {
                at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
            }
            if (depth == 0) return text_.substr(begin, at_ - begin);
        }
        return {};
    }

  private:
    std::string_view text_;
    std::size_t at_ = 0;
};

void append_utf8(std::string& to, unsigned long code) {
    auto add = [&](unsigned long byte) { to += static_cast<char>(byte); };
    if (code < 0x80) return add(code);
    if (code < 0x800) {
        add(0xC0 | code >> 6);
    } else if (code < 0x10000) {
        add(0xE0 | code >> 12);
        add(0x80 | (code >> 6 & 0x3F));
    } else {
        add(0xF0 | code >> 18);
        add(0x80 | (code >> 12 & 0x3F));
        add(0x80 | (code >> 6 & 0x3F));
    }
    add(0x80 | (code & 0x3F));
}

// The UTF-16 unit behind a \u at `at`, or nothing.
std::optional<unsigned long> read_unit(std::string_view text, std::size_t at) {
    if (text.substr(at, 2) != "\\u" || text.size() < at + 6) return {};
    unsigned long unit = 0;
    for (const char c : text.substr(at + 2, 4)) {
        if (!std::isxdigit(static_cast<unsigned char>(c))) return {};
        unit = unit * 16 + static_cast<unsigned long>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return unit;
}

}  // namespace

std::string_view json_member(std::string_view text, std::string_view name) {
    Walker walker(text);
    if (!walker.take('{')) return {};
    do {
        const auto key = walker.string();
        if (key.empty() || !walker.take(':')) return {};
        const auto value = walker.value();
        if (value.empty() || json_string(key) == name) return value;
    } while (walker.take(','));
    return {};
}

std::optional<double> json_number(std::string_view text) {
    if (text.empty() || (text[0] != '-' && !std::isdigit(static_cast<unsigned char>(text[0]))))
        return {};
    std::istringstream stream{std::string(text)};
    stream.imbue(std::locale::classic());
    double number = 0;
    if (!(stream >> number) || stream.peek() != std::istringstream::traits_type::eof()) return {};
    return number;
}

std::optional<std::string> json_string(std::string_view text) {
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return {};
    text = text.substr(1, text.size() - 2);
    constexpr std::string_view letters = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
    std::string found;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '\\') {
            found += text[at];
            continue;
        }
        if (const auto unit = read_unit(text, at)) {
            const auto second = read_unit(text, at + 6).value_or(0);
            const bool is_pair = *unit >> 10 == 0x36 && second >> 10 == 0x37;
            const bool is_half = *unit >> 11 == 0x1B;
            append_utf8(found, is_pair   ? 0x10000 + ((*unit & 0x3FF) << 10) + (second & 0x3FF)
                               : is_half ? 0xFFFD
                                         : *unit);
            at += is_pair ? 11 : 5;
            continue;
        }
        const auto letter = at + 1 < text.size() ? letters.find(text[++at]) : letters.npos;
        if (letter == letters.npos) return {};
        found += meant[letter];
    }
    return found;
}

}  // namespace framepost
