// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/store/truth_reader.h"

#include "analysis/store/run_reader_impl.h"

namespace dyetrace::store {

std::vector<TruthFaultRow> TruthReader::faults() const {
    return run_.impl_->list<TruthFaultRow>();
}
std::vector<TruthDropRow> TruthReader::drops() const {
    return run_.impl_->list<TruthDropRow>();
}
std::vector<TruthPathRow> TruthReader::paths() const {
    return run_.impl_->list<TruthPathRow>();
}

}  // namespace dyetrace::store
