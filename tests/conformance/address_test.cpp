// SPDX-License-Identifier: BSD-3-Clause
// Addresses: looking up, comparing, counting, as text and as bytes, and what is no address.
#include "tests/conformance/net.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::conformance;
using cinnabar::test::allow_log;

CINNABAR_CONFORMANCE("a published address has class and protocol in front") {
    const Net net(transport);
    CHECK(net.self().text().starts_with(class_of(transport) + "+" + transport.protocol + "://"));
}

CINNABAR_CONFORMANCE("an address can be looked up with and without its class, and is the same") {
    const Pair pair(transport);
    const std::string text = pair.b.self().text();
    const Address full = pair.a.lookup(text);
    const Address bare = pair.a.lookup(text.substr(text.find('+') + 1));
    CHECK(NA_Addr_cmp(pair.a.cls(), full.get(), bare.get()));
    CHECK(NA_Addr_cmp(pair.a.cls(), full.get(), pair.to_b.get()));
    CHECK(full.text() == text);
    CHECK(bare.text() == text);
}

CINNABAR_CONFORMANCE("the own address is recognised") {
    const Net net(transport);
    const Address self = net.self();
    CHECK(NA_Addr_is_self(net.cls(), self.get()));
    CHECK(NA_Addr_cmp(net.cls(), self.get(), net.self().get()));
    CHECK_FALSE(NA_Addr_is_self(net.cls(), nullptr));
}

CINNABAR_CONFORMANCE("between classes: another's address is not the own one") {
    const Pair pair(transport);
    CHECK_FALSE(NA_Addr_is_self(pair.a.cls(), pair.to_b.get()));
    CHECK_FALSE(NA_Addr_cmp(pair.a.cls(), pair.to_b.get(), pair.a.self().get()));
    CHECK_FALSE(NA_Addr_cmp(pair.a.cls(), pair.to_b.get(), nullptr));
}

CINNABAR_CONFORMANCE("a duplicate lives on when the original is freed") {
    const Pair pair(transport);
    Address copy;
    {
        const Address original = pair.a.lookup(pair.b);
        na_addr_t* addr = nullptr;
        REQUIRE(NA_Addr_dup(pair.a.cls(), original.get(), &addr) == NA_SUCCESS);
        copy = Address(pair.a.cls(), addr);
    }
    CHECK(NA_Addr_cmp(pair.a.cls(), copy.get(), pair.to_b.get()));
    CHECK(copy.text() == pair.b.self().text());
}

CINNABAR_CONFORMANCE("a string that does not fit is told its size") {
    const Net net(transport);
    const Address self = net.self();
    std::size_t needed = 0;
    REQUIRE(NA_Addr_to_string(net.cls(), nullptr, &needed, self.get()) == NA_SUCCESS);
    CHECK(needed == self.text().size() + 1);
    std::string text(needed, 'x');
    std::size_t size = needed - 1;
    CHECK(NA_Addr_to_string(net.cls(), text.data(), &size, self.get()) == codes::buffer_too_small);
    CHECK(size == needed);
    CHECK(text == std::string(needed, 'x'));
    size = 0;
    CHECK(NA_Addr_to_string(net.cls(), text.data(), &size, self.get()) == codes::buffer_too_small);
}

CINNABAR_CONFORMANCE("an address survives serialisation, in its class and in another") {
    Pair pair(transport);
    for (const Address* address : {&pair.to_b, &pair.to_a}) {
        const Net& owner = address == &pair.to_b ? pair.a : pair.b;
        std::vector<char> bytes(NA_Addr_get_serialize_size(owner.cls(), address->get()));
        REQUIRE(!bytes.empty());
        REQUIRE(NA_Addr_serialize(owner.cls(), bytes.data(), bytes.size(), address->get()) ==
                NA_SUCCESS);
        for (const Net* reader : {&pair.a, &pair.b}) {
            na_addr_t* addr = nullptr;
            REQUIRE(NA_Addr_deserialize(reader->cls(), &addr, bytes.data(), bytes.size(), 0) ==
                    NA_SUCCESS);
            const Address read(reader->cls(), addr);
            CHECK(read.text() == address->text());
        }
        CHECK(NA_Addr_serialize(owner.cls(), bytes.data(), bytes.size() - 1, address->get()) ==
              codes::buffer_too_small);
    }
}

CINNABAR_CONFORMANCE("bytes that are no address are refused") {
    const Net net(transport);
    const Address self = net.self();
    std::vector<unsigned char> good(NA_Addr_get_serialize_size(net.cls(), self.get()));
    REQUIRE(NA_Addr_serialize(net.cls(), good.data(), good.size(), self.get()) == NA_SUCCESS);
    allow_log("");
    na_addr_t* addr = nullptr;
    CHECK(NA_Addr_deserialize(net.cls(), &addr, good.data(), 0, 0) == NA_INVALID_ARG);
    // Whatever the bytes are, the call must end, and give an address only with success.
    for (std::size_t cut = 1; cut < good.size(); ++cut)
        if (NA_Addr_deserialize(net.cls(), &addr, good.data(), cut, 0) == NA_SUCCESS)
            NA_Addr_free(net.cls(), addr);
    for (std::size_t at = 0; at < good.size(); ++at)
        for (const int flip : {0x01, 0x80, 0xff}) {
            auto bad = good;
            bad[at] = static_cast<unsigned char>(bad[at] ^ flip);
            if (NA_Addr_deserialize(net.cls(), &addr, bad.data(), bad.size(), 0) == NA_SUCCESS)
                NA_Addr_free(net.cls(), addr);
        }
    const std::vector<unsigned char> garbage(4096, 0xff);
    CHECK(NA_Addr_deserialize(net.cls(), &addr, garbage.data(), garbage.size(), 0) != NA_SUCCESS);
}

CINNABAR_CONFORMANCE("a string that is no address is refused") {
    const Net net(transport);
    allow_log("");
    const std::string protocol = transport.protocol, own = class_of(transport) + "+";
    const std::string other = own == "ofi+" ? "na+" : "ofi+";
    for (const std::string& text :
         {std::string(), std::string("x"), std::string("://"), protocol, protocol + ":",
          protocol + ":/", protocol + "://", own + protocol + "://", protocol + "://\n",
          protocol + "://a/b/../c d:e:f", protocol + "://" + std::string(5000, 'a'),
          own + protocol + "://\xff\xfe", std::string("bogus://127.0.0.1:1"),
          other + protocol + "://127.0.0.1:1", own + own + protocol + "://x"}) {
        CAPTURE(text);
        na_addr_t* addr = nullptr;
        CHECK(NA_Addr_lookup(net.cls(), text.c_str(), &addr) != NA_SUCCESS);
        CHECK(addr == nullptr);
    }
    na_addr_t* addr = nullptr;
    CHECK(NA_Addr_lookup(net.cls(), "bogus://127.0.0.1:1", &addr) == codes::other_protocol);
}

CINNABAR_CONFORMANCE("a peer is looked up and removed again and again") {
    Pair pair(transport);
    for (int i = 0; i < 32; ++i) {
        const Address peer = pair.a.lookup(pair.b);
        REQUIRE(NA_Addr_set_remove(pair.a.cls(), peer.get()) == NA_SUCCESS);
    }
}

CINNABAR_CONFORMANCE("between classes: a removed peer can be talked to again") {
    Pair pair(transport);
    exchange(pair);
    allow_log("");
    REQUIRE(NA_Addr_set_remove(pair.a.cls(), pair.to_b.get()) == NA_SUCCESS);
    exchange(pair, 8, 9);
}
