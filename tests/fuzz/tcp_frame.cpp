// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as greetings and as a stream of frames of the tcp transport, in pieces of sizes that
// the input chooses: the result does not depend on the pieces, keeps to the limits, and is encoded
// to the same bytes.
#include "plugins/tcp/frame.hpp"

#include <vector>

#include "tests/fuzz/property.hpp"

using namespace cinnabar::tcp;
using cinnabar::fuzz::Input;
using cinnabar::fuzz::require;

namespace {

using Bytes = std::span<const std::byte>;

// A copy of exactly that size, so that an address sanitizer sees an over-read.
class Exact {
public:
    explicit Exact(Bytes bytes) : bytes_(bytes.begin(), bytes.end()) { bytes_.shrink_to_fit(); }
    operator Bytes() const { return bytes_; }

private:
    std::vector<std::byte> bytes_;
};

bool same(const Greeting& a, const Greeting& b) {
    return a.kind == b.kind && a.version == b.version && a.source_id == b.source_id &&
           a.target_id == b.target_id && a.listening == b.listening && a.code == b.code &&
           a.features == b.features && a.incarnation == b.incarnation && a.attempt == b.attempt &&
           a.max_unexpected == b.max_unexpected && a.max_expected == b.max_expected &&
           a.name == b.name;
}

void check_greeting(Bytes bytes) {
    Greeting greeting;
    std::size_t used = 0;
    const Parse result = decode_greeting(bytes, greeting, used);
    if (result != Parse::complete) {
        // A longer beginning is refused if a shorter one was, and waited for if it is waited for.
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            Greeting ignored;
            std::size_t none = 0;
            const Parse early = decode_greeting(bytes.first(size), ignored, none);
            require(early == Parse::more || (early == Parse::malformed && result == early));
        }
        return;
    }
    require(used >= greeting_fixed_size && used <= bytes.size());
    Greeting cut;
    std::size_t none = 0;
    require(decode_greeting(Exact(bytes.first(used - 1)), cut, none) == Parse::more);
    if (greeting.version != wire_version) return;
    for (const char c : greeting.name)
        require(c > ' ' && c <= '~');
    std::array<std::byte, max_greeting_size> again;
    const std::size_t size = encode_greeting(greeting, again);
    Greeting reread;
    std::size_t reused = 0;
    const Exact exact(Bytes(again.data(), size));
    require(decode_greeting(exact, reread, reused) == Parse::complete);
    require(reused == size && same(greeting, reread));
}

// Bytes that the frame at the beginning takes, 0 if there is none or it is not all there.
std::size_t check_frame(Input& sizes, Bytes bytes, const FrameLimits& limits) {
    Frame frame;
    Parse result = Parse::more;
    for (std::size_t have = 0; result == Parse::more && have < bytes.size();) {
        have = std::min(bytes.size(), have + 1 + sizes.take<std::uint8_t>() % 64);
        result = decode_frame(Exact(bytes.first(have)), limits, frame);
    }
    Frame whole;
    require(decode_frame(bytes, limits, whole) == result);
    if (result != Parse::complete) return 0;
    require(frame.header_size() <= bytes.size());
    const bool message = frame.type <= FrameType::expected;
    if (frame.type == FrameType::unexpected) require(frame.payload_size <= limits.max_unexpected);
    if (frame.type == FrameType::expected) require(frame.payload_size <= limits.max_expected);
    if (message) require(frame.payload_size <= bytes.size() - frame.header_size());
    require(frame.payload_size <= options::max_chunk_size || message);
    std::byte again[rma_header_size];
    require(encode_frame(frame, again) == frame.header_size());
    require(std::memcmp(again, bytes.data(), frame.header_size()) == 0);
    const std::size_t size = frame.header_size() + frame.payload_size;
    return size <= bytes.size() ? size : 0;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    const auto kind = input.take<std::uint8_t>();
    Input sizes(data, size);
    const FrameLimits limits{input.take<std::uint16_t>(), input.take<std::uint16_t>()};
    Bytes bytes = std::as_bytes(input.rest());
    if (kind % 2 == 0) {
        check_greeting(Exact(bytes));
        return 0;
    }
    while (const std::size_t used = check_frame(sizes, bytes, limits))
        bytes = bytes.subspan(used);
    return 0;
}
