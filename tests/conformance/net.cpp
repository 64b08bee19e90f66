// SPDX-License-Identifier: BSD-3-Clause
#include "tests/conformance/net.hpp"

namespace cinnabar::conformance {
namespace {

unsigned char pattern(unsigned char seed, std::size_t at) {
    return static_cast<unsigned char>(seed + at * 31 + (at >> 8) * 7);
}

}  // namespace

std::string Address::text() const {
    std::size_t size = 0;
    REQUIRE(NA_Addr_to_string(cls_, nullptr, &size, addr_) == NA_SUCCESS);
    std::string text(size, '?');
    REQUIRE(NA_Addr_to_string(cls_, text.data(), &size, addr_) == NA_SUCCESS);
    REQUIRE(size == text.size());
    text.pop_back();
    return text;
}

Net::Net(const Transport& transport, const NetOptions& options) {
    na_init_info init{};
    init.max_contexts = options.contexts;
    init.progress_mode = transport.busy != options.other_mode ? NA_NO_BLOCK : 0;
    const char* info = options.info.empty() ? transport.info : options.info.c_str();
    cls_ = NA_Initialize_opt2(info, options.listen, NA_VERSION(NA_VERSION_MAJOR, NA_VERSION_MINOR),
                              &init);
    REQUIRE(cls_ != nullptr);
    for (std::uint8_t id = 0; id < options.contexts; ++id) {
        contexts_.push_back(options.sink ? NA_Context_create_sink(cls_, id)
                                         : NA_Context_create_id(cls_, id));
        REQUIRE(contexts_.back() != nullptr);
    }
}

Net::~Net() {
    close();
}

void Net::close() {
    if (cls_ == nullptr) return;
    for (na_context_t* context : contexts_)
        CHECK(NA_Context_destroy(cls_, context) == NA_SUCCESS);
    CHECK(NA_Finalize(cls_) == NA_SUCCESS);
    cls_ = nullptr;
}

Address Net::self() const {
    na_addr_t* addr = nullptr;
    REQUIRE(NA_Addr_self(cls_, &addr) == NA_SUCCESS);
    return {cls_, addr};
}

Address Net::lookup(const std::string& name) const {
    na_addr_t* addr = nullptr;
    CAPTURE(name);
    REQUIRE(NA_Addr_lookup(cls_, name.c_str(), &addr) == NA_SUCCESS);
    return {cls_, addr};
}

void Net::progress() {
    for (na_context_t* context : contexts_) {
        unsigned int count = 0;
        if (NA_Poll(cls_, context, &count) != NA_SUCCESS) FAIL("NA_Poll has failed");
        if (NA_Trigger(context, 1024, &count) != NA_SUCCESS) FAIL("NA_Trigger has failed");
    }
}

Buffer::Buffer(const Net& net, std::size_t size, unsigned char seed, bool expected)
    : cls_(net.cls()),
      header_(expected ? NA_Msg_get_expected_header_size(cls_)
                       : NA_Msg_get_unexpected_header_size(cls_)),
      payload_(size),
      memory_(NA_Msg_buf_alloc(cls_, std::max<std::size_t>(1, header_ + size), NA_SEND | NA_RECV,
                               &plugin_data_)) {
    REQUIRE(memory_ != nullptr);
    REQUIRE((expected ? NA_Msg_init_expected : NA_Msg_init_unexpected)(
                cls_, memory_, header_ + size) == NA_SUCCESS);
    for (std::size_t i = 0; i < size; ++i)
        static_cast<unsigned char*>(memory_)[header_ + i] = pattern(seed, i);
}

Buffer::Buffer(Buffer&& other) noexcept
    : cls_(other.cls_),
      header_(other.header_),
      payload_(other.payload_),
      plugin_data_(other.plugin_data_),
      memory_(std::exchange(other.memory_, nullptr)) {}

Buffer::~Buffer() {
    NA_Msg_buf_free(cls_, memory_, plugin_data_);
}

bool Buffer::holds(unsigned char seed, std::size_t size) const {
    for (std::size_t i = 0; i < size; ++i)
        if (static_cast<unsigned char*>(memory_)[header_ + i] != pattern(seed, i)) return false;
    return true;
}

Op::Op(const Net& net) : net_(&net), id_(NA_Op_create(net.cls(), NA_OP_SINGLE)) {
    REQUIRE(id_ != nullptr);
}

Op::~Op() {
    NA_Op_destroy(net_->cls(), id_);
}

void Op::on_complete(const na_cb_info* info) {
    Op& op = *static_cast<Op*>(info->arg);
    op.ret_ = info->ret;
    if (info->type == NA_CB_RECV_UNEXPECTED) {
        op.source_ = Address(op.net_->cls(), info->info.recv_unexpected.source);
        op.size_ = info->info.recv_unexpected.actual_buf_size;
        op.tag_ = info->info.recv_unexpected.tag;
    } else if (info->type == NA_CB_RECV_EXPECTED) {
        op.size_ = info->info.recv_expected.actual_buf_size;
    }
    // Without more to do the operation may be gone as soon as it is seen to be done.
    const auto next = op.then;
    op.completions_.fetch_add(1, std::memory_order_release);
    if (next != nullptr) next(op, op.then_arg);
}

na_return_t Op::send_unexpected(const Buffer& buffer, const Address& to, na_tag_t tag,
                                std::uint8_t to_id, std::uint8_t from_id) {
    return NA_Msg_send_unexpected(net_->cls(), net_->context(from_id), on_complete, this,
                                  buffer.data(), buffer.size(), buffer.plugin_data(), to.get(),
                                  to_id, tag, id_);
}

na_return_t Op::recv_unexpected(const Buffer& buffer, std::uint8_t id) {
    return NA_Msg_recv_unexpected(net_->cls(), net_->context(id), on_complete, this, buffer.data(),
                                  buffer.size(), buffer.plugin_data(), id_);
}

na_return_t Op::send_expected(const Buffer& buffer, const Address& to, na_tag_t tag,
                              std::uint8_t to_id, std::uint8_t from_id) {
    return NA_Msg_send_expected(net_->cls(), net_->context(from_id), on_complete, this,
                                buffer.data(), buffer.size(), buffer.plugin_data(), to.get(), to_id,
                                tag, id_);
}

na_return_t Op::recv_expected(const Buffer& buffer, const Address& from, na_tag_t tag,
                              std::uint8_t from_id, std::uint8_t id) {
    return NA_Msg_recv_expected(net_->cls(), net_->context(id), on_complete, this, buffer.data(),
                                buffer.size(), buffer.plugin_data(), from.get(), from_id, tag, id_);
}

na_return_t Op::cancel(std::uint8_t id) {
    return NA_Cancel(net_->cls(), net_->context(id), id_);
}

Pair::Pair(const Transport& transport, const NetOptions& options)
    : own_a(std::make_unique<Net>(transport, options)),
      own_b(transport.peers == Peers::self ? nullptr : std::make_unique<Net>(transport, options)),
      a(*own_a),
      b(own_b == nullptr ? *own_a : *own_b),
      to_b(own_b == nullptr ? a.self() : a.lookup(b)),
      to_a(own_b == nullptr ? b.self() : b.lookup(a)) {}

void Pair::progress() {
    a.progress();
    if (own_b != nullptr) b.progress();
}

void exchange(Pair& pair, std::size_t size, na_tag_t tag) {
    const Buffer out(pair.a, size, static_cast<unsigned char>(tag));
    const Buffer in(pair.b, size);
    Op send(pair.a);
    Op receive(pair.b);
    REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
    REQUIRE(send.send_unexpected(out, pair.to_b, tag) == NA_SUCCESS);
    pump(pair, [&] { return send.done() && receive.done(); });
    REQUIRE(send.ret() == NA_SUCCESS);
    REQUIRE(receive.ret() == NA_SUCCESS);
    CHECK(receive.size() == in.size());
    CHECK(receive.tag() == tag);
    CHECK(in.holds(static_cast<unsigned char>(tag), size));
    CHECK(NA_Addr_cmp(pair.b.cls(), receive.source().get(), pair.to_a.get()));
}

}  // namespace cinnabar::conformance
