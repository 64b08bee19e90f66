// SPDX-License-Identifier: BSD-3-Clause
// Sealed messages: what each level covers, that no single bit can change unnoticed, and who refuses
// whom.
#include "hg/wire/digest.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

#include "hg/wire/request_header.hpp"
#include "hg/wire/response_header.hpp"

using namespace cinnabar::hg;

namespace {

template <class Header>
std::vector<char> sealed(hg_checksum_level_t level, std::size_t behind) {
    std::vector<char> message(Header::size + behind, 'x');
    Header header;
    header.payload_size = static_cast<std::uint32_t>(behind);
    seal(header, message.data(), behind, level);
    return message;
}

// As a receiver of that level judges it.
template <class Header>
hg_return_t judge(const std::vector<char>& message, hg_checksum_level_t level) {
    Header header;
    if (const hg_return_t ret = Header::decode(message.data(), message.size(), header);
        ret != HG_SUCCESS)
        return ret;
    return verify(header, message.data(), message.size() - Header::size, level);
}

template <class Header>
void check_bits(hg_checksum_level_t level, std::size_t covered) {
    const std::vector<char> good = sealed<Header>(level, 20);
    REQUIRE(judge<Header>(good, level) == HG_SUCCESS);
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        CAPTURE(bit);
        std::vector<char> bad = good;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
        CHECK((judge<Header>(bad, level) == HG_SUCCESS) == (bit / 8 >= covered));
    }
}

}  // namespace

TEMPLATE_TEST_CASE("no bit that a digest covers changes unnoticed", "", RequestHeader,
                   ResponseHeader) {
    check_bits<TestType>(HG_CHECKSUM_RPC_HEADERS, TestType::size);
    check_bits<TestType>(HG_CHECKSUM_RPC_PAYLOAD, TestType::size + 20);
}

TEMPLATE_TEST_CASE("a receiver takes what carries at least what its level asks for", "",
                   RequestHeader, ResponseHeader) {
    const hg_checksum_level_t levels[] = {HG_CHECKSUM_NONE, HG_CHECKSUM_RPC_HEADERS,
                                          HG_CHECKSUM_RPC_PAYLOAD};
    for (const hg_checksum_level_t sent : levels)
        for (const hg_checksum_level_t wanted : levels) {
            CAPTURE(sent, wanted);
            CHECK(judge<TestType>(sealed<TestType>(sent, 20), wanted) ==
                  (sent >= wanted ? HG_SUCCESS : HG_CHECKSUM_ERROR));
        }
}

TEMPLATE_TEST_CASE("without a level nothing is added to a message", "", RequestHeader,
                   ResponseHeader) {
    std::vector<char> plain(TestType::size + 20, 'x');
    TestType header;
    header.payload_size = 20;
    header.encode(plain.data());
    CHECK(sealed<TestType>(HG_CHECKSUM_NONE, 20) == plain);
}
