// SPDX-License-Identifier: BSD-3-Clause
// Ownership of the library's objects: each is closed when its owner goes. Members of a class are
// declared in the order in which the library wants them opened.
#pragma once

#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_eq.h>
#include <rdma/fi_errno.h>
#include <rdma/fi_rma.h>

#include <memory>

namespace cinnabar::ofi {

struct FidClose {
    template <class Object>
    void operator()(Object* object) const noexcept {
        fi_close(&object->fid);
    }
};
template <class Object>
using Fid = std::unique_ptr<Object, FidClose>;

struct InfoFree {
    void operator()(fi_info* info) const noexcept { fi_freeinfo(info); }
};
using Info = std::unique_ptr<fi_info, InfoFree>;

}  // namespace cinnabar::ofi
