// SPDX-License-Identifier: BSD-3-Clause
#include "na/base/c_call.hpp"

namespace cinnabar {

na_return_t code_of_current_exception(const char* function) noexcept {
    try {
        throw;
    } catch (const std::bad_alloc&) {
        return log_error(NA_NOMEM, "na_cls", "{}: out of memory", function).code();
    } catch (const std::exception& e) {
        return log_error(NA_FAULT, "na_cls", "{}: internal error: {}", function, e.what()).code();
    } catch (...) {
        return log_error(NA_FAULT, "na_cls", "{}: internal error", function).code();
    }
}

}  // namespace cinnabar
