// SPDX-License-Identifier: BSD-3-Clause
#include "tests/conformance/peer.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

#include <deque>

#include "tests/support/log_check.hpp"

namespace cinnabar::conformance {
namespace {

std::string to_hex(const std::vector<unsigned char>& bytes) {
    std::string text;
    for (const unsigned char byte : bytes)
        text += fmt::format("{:02x}", byte);
    return text;
}

std::vector<unsigned char> from_hex(const std::string& text) {
    std::vector<unsigned char> bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        bytes.push_back(static_cast<unsigned char>(std::stoi(text.substr(i, 2), nullptr, 16)));
    return bytes;
}

// One receive that is always posted, and the answer to what it takes.
struct Service {
    explicit Service(const Net& owner)
        : net(owner),
          in(owner, NA_Msg_get_max_unexpected_size(owner.cls()) -
                        NA_Msg_get_unexpected_header_size(owner.cls())),
          receive(owner) {
        receive.then_arg = this;
        receive.then = [](Op& op, void* arg) { static_cast<Service*>(arg)->take(op); };
    }

    void post() {
        REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
        posted = true;
    }

    void take(Op& op) {
        posted = false;
        if (op.ret() == NA_SUCCESS && op.tag() < 1000) answer(op);
        if (!stopping) post();
    }

    void answer(Op& op) {
        const std::size_t payload = op.size() - in.header();
        answers.emplace_back(std::make_unique<Answer>(net, payload));
        Answer& answer = *answers.back();
        std::memcpy(static_cast<char*>(answer.out.data()) + answer.out.header(),
                    static_cast<char*>(in.data()) + in.header(), payload);
        // A client that has died may refuse its answer; the next one must be served all the same.
        if (answer.send.send_expected(answer.out, op.source(), op.tag()) != NA_SUCCESS)
            answers.pop_back();
    }

    void tidy() {
        while (!answers.empty() && answers.front()->send.done())
            answers.pop_front();
    }

    struct Answer {
        Answer(const Net& owner, std::size_t size) : out(owner, size, 0, true), send(owner) {}
        Buffer out;
        Op send;
    };
    const Net& net;
    Buffer in;
    Op receive;
    bool posted = false;
    bool stopping = false;
    std::deque<std::unique_ptr<Answer>> answers{};
};

bool told_to_end() {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    return ::poll(&input, 1, 0) > 0;
}

// Sleeps for the network and for the parent alike; in busy mode it only looks at the parent.
void wait(const Net& net) {
    const int fd = NA_Poll_get_fd(net.cls(), net.context());
    if (fd < 0 || !NA_Poll_try_wait(net.cls(), net.context())) return;
    pollfd events[2] = {{fd, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    (void)::poll(events, 2, -1);
}

void serve(Net& net) {
    const Region memory(net, peer_memory, 7, peer_seed);
    Service service(net);
    service.post();
    test::say(net.self().text());
    test::say(to_hex(memory.serialized()));
    while (!told_to_end()) {
        net.progress();
        service.tidy();
        wait(net);
    }
    service.stopping = true;
    REQUIRE(service.receive.cancel() == NA_SUCCESS);
    pump(net, [&] { return !service.posted; });
    for (const auto& answer : service.answers) {
        REQUIRE(answer->send.cancel() == NA_SUCCESS);
        pump(net, [&] { return answer->send.done(); });
    }
}

}  // namespace

CINNABAR_ROLE(conformance_peer) {
    // Clients come and go, some of them by a signal.
    test::allow_log("");
    NetOptions options;
    options.info = arguments.size() > 1 ? arguments[1] : "";
    (void)transports();
    Net net(transport_named(arguments[0]), options);
    serve(net);
    return 0;
}

Peer::Peer(const Transport& transport, const std::string& info)
    : process_("conformance_peer", info.empty() ? test::Arguments{transport.name}
                                                : test::Arguments{transport.name, info}),
      address_(process_.listen()),
      memory_(from_hex(process_.listen())) {}

void Peer::end() {
    process_.finish();
    CHECK(process_.wait() == 0);
}

void ask(Net& net, const Address& peer, std::size_t size, na_tag_t tag) {
    const auto seed = static_cast<unsigned char>(tag + size);
    const Buffer out(net, size, seed), in(net, size, 0, true);
    Op send(net), hear(net);
    REQUIRE(hear.recv_expected(in, peer, tag) == NA_SUCCESS);
    REQUIRE(send.send_unexpected(out, peer, tag) == NA_SUCCESS);
    pump(net, [&] { return send.done() && hear.done(); });
    REQUIRE(send.ret() == NA_SUCCESS);
    REQUIRE(hear.ret() == NA_SUCCESS);
    REQUIRE(hear.size() == in.size());
    REQUIRE(in.holds(seed, size));
}

}  // namespace cinnabar::conformance
