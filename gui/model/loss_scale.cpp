// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/loss_scale.h"

namespace dyetrace::viewer {

LossClass loss_class(const Loss& loss) {
    if (loss.sent <= 0) return LossClass::NotMeasured;
    if (loss.sent < packets_min) return LossClass::TooFew;
    const double rate = loss.rate();
    if (rate == 0) return LossClass::None;
    auto c = static_cast<int>(LossClass::Trace);
    for (const double end : loss_class_ends) {
        if (rate < end) break;
        ++c;
    }
    return static_cast<LossClass>(c);
}

QString to_text(LossClass c) {
    switch (c) {
        case LossClass::NotMeasured: return QStringLiteral("not measured");
        case LossClass::TooFew: return QStringLiteral("fewer than %1 packets").arg(packets_min);
        case LossClass::None: return QStringLiteral("none");
        case LossClass::Trace: return QStringLiteral("< 0.05%");
        case LossClass::Low: return QStringLiteral("0.05\u20130.2%");
        case LossClass::Medium: return QStringLiteral("0.2\u20130.7%");
        case LossClass::High: return QStringLiteral("0.7\u20132%");
        case LossClass::Severe: return QStringLiteral("2\u20137%");
        case LossClass::Extreme: return QStringLiteral("> 7%");
    }
    return {};
}

}  // namespace dyetrace::viewer
