// SPDX-License-Identifier: BSD-3-Clause
#include "tests/integration/side.hpp"

#include <catch2/catch.hpp>

namespace cinnabar::integration {
namespace {

hg_return_t serve(hg_handle_t handle) {
    const hg_info* info = HG_Get_info(handle);
    (*static_cast<Serve*>(HG_Registered_data(info->hg_class, info->id)))(handle);
    return HG_SUCCESS;
}

}  // namespace

std::string Address::text() const {
    hg_size_t size = 0;
    REQUIRE(HG_Addr_to_string(cls_, nullptr, &size, addr_) == HG_SUCCESS);
    std::string text(size, '\0');
    REQUIRE(HG_Addr_to_string(cls_, text.data(), &size, addr_) == HG_SUCCESS);
    text.resize(size - 1);
    return text;
}

Side::Side(const Setup& setup, const SideOptions& options) : busy_(setup.busy) {
    hg_init_info init = options.init;
    init.na_init_info.progress_mode = setup.busy ? NA_NO_BLOCK : 0;
    const std::string info = options.info.empty() ? setup.info : options.info;
    if (setup.auto_sm) init.auto_sm = 1;
    // A fixed address is one in both nets.
    const std::string second = "second-" + info.substr(info.rfind(':') + 1);
    if (setup.auto_sm && !options.info.empty()) init.sm_info_string = second.c_str();
    cls_ = HG_Init_opt2(info.c_str(), options.listen,
                        HG_VERSION(HG_VERSION_MAJOR, HG_VERSION_MINOR), &init);
    REQUIRE(cls_ != nullptr);
    REQUIRE(HG_Class_set_input_offset(cls_, options.in_offset) == HG_SUCCESS);
    REQUIRE(HG_Class_set_output_offset(cls_, options.out_offset) == HG_SUCCESS);
    if (options.prepare) options.prepare(cls_);
    context_ = HG_Context_create(cls_);
    REQUIRE(context_ != nullptr);
}

void Side::close() {
    if (context_ != nullptr) CHECK(HG_Context_destroy(context_) == HG_SUCCESS);
    context_ = nullptr;
    if (cls_ != nullptr) CHECK(HG_Finalize(cls_) == HG_SUCCESS);
    cls_ = nullptr;
}

Side::~Side() {
    close();
}

Address Side::self() const {
    hg_addr_t addr = HG_ADDR_NULL;
    REQUIRE(HG_Addr_self(cls_, &addr) == HG_SUCCESS);
    return {cls_, addr};
}

Address Side::lookup(const std::string& name) const {
    hg_addr_t addr = HG_ADDR_NULL;
    REQUIRE(HG_Addr_lookup2(cls_, name.c_str(), &addr) == HG_SUCCESS);
    return {cls_, addr};
}

hg_id_t Side::add(const std::string& name, hg_proc_cb_t in, hg_proc_cb_t out, Serve how) {
    const bool serves = static_cast<bool>(how);
    const hg_id_t id = HG_Register_name(cls_, name.c_str(), in, out, serves ? serve : nullptr);
    REQUIRE(id != 0);
    if (serves)
        REQUIRE(HG_Register_data(cls_, id, new Serve(std::move(how)), [](void* data) {
                    delete static_cast<Serve*>(data);
                }) == HG_SUCCESS);
    return id;
}

void Side::step(unsigned timeout_ms) {
    const hg_return_t ret = HG_Progress(context_, timeout_ms);
    if (ret != HG_SUCCESS && ret != HG_TIMEOUT) REQUIRE(ret == HG_SUCCESS);
    unsigned count = 0;
    do {
        (void)HG_Trigger(context_, 0, 64, &count);
    } while (count > 0);
}

Call::Call(const Side& side, const Address& to, hg_id_t id) {
    REQUIRE(HG_Create(side.context(), to.get(), id, &handle_) == HG_SUCCESS);
}

Call::~Call() {
    destroy();
}

void Call::destroy() {
    if (handle_ != HG_HANDLE_NULL) CHECK(HG_Destroy(handle_) == HG_SUCCESS);
    handle_ = HG_HANDLE_NULL;
}

hg_return_t Call::on_done(const hg_cb_info* info) {
    const std::unique_ptr<std::shared_ptr<State>> owned(
        static_cast<std::shared_ptr<State>*>(info->arg));
    State& state = **owned;
    ++state.callbacks;
    state.ret = info->ret;
    if (state.then) state.then(*info);
    return HG_SUCCESS;
}

hg_return_t Call::forward(void* in) {
    auto owned = std::make_unique<std::shared_ptr<State>>(state_);
    const hg_return_t ret = HG_Forward(handle_, on_done, owned.get(), in);
    if (ret != HG_SUCCESS) return ret;
    (void)owned.release();
    ++forwards_;
    return ret;
}

Pair::Pair(const Setup& setup, const SideOptions& client_options, const SideOptions& server_options)
    : own_client(std::make_unique<Side>(setup, setup.self ? server_options : client_options)),
      own_server(setup.self ? nullptr : std::make_unique<Side>(setup, server_options)),
      client(*own_client),
      server(setup.self ? *own_client : *own_server),
      to(setup.self ? client.self() : client.lookup(server.self().text())),
      timeout_ms_(setup.busy ? 0 : 1) {}

hg_id_t Pair::add(const std::string& name, hg_proc_cb_t in, hg_proc_cb_t out, Serve serve) {
    if (&client != &server) (void)client.add(name, in, out);
    return server.add(name, in, out, std::move(serve));
}

void Pair::step() {
    client.step(timeout_ms_);
    if (&client != &server) server.step(timeout_ms_);
}

hg_return_t Pair::run(Call& call, void* in) {
    REQUIRE(call.forward(in) == HG_SUCCESS);
    wait([&] { return call.done(); });
    return call.ret();
}

void serve_echo(hg_handle_t handle) {
    Blob blob;
    if (HG_Get_input(handle, &blob) == HG_SUCCESS) {
        (void)HG_Respond(handle, nullptr, nullptr, &blob);
        (void)HG_Free_input(handle, &blob);
    }
    (void)HG_Destroy(handle);
}

void serve_nothing(hg_handle_t handle) {
    (void)HG_Respond(handle, nullptr, nullptr, nullptr);
    (void)HG_Destroy(handle);
}

}  // namespace cinnabar::integration
