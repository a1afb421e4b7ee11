// SPDX-License-Identifier: GPL-2.0-or-later
#include "dyetrace-fault.h"

#include <limits>

#include <ns3/double.h>
#include <ns3/string.h>

namespace ns3 {

NS_OBJECT_ENSURE_REGISTERED(DyetraceFault);

TypeId DyetraceFault::GetTypeId() {
    static TypeId tid =
        TypeId("ns3::DyetraceFault")
            .SetParent<Object>()
            .SetGroupName("Dyetrace")
            .AddConstructor<DyetraceFault>()
            .AddAttribute("Kind", "What goes wrong: \"silent-drop\" or \"link-down\".",
                          StringValue("silent-drop"), MakeStringAccessor(&DyetraceFault::m_kind),
                          MakeStringChecker())
            .AddAttribute("From", "Name of the node that the link starts at.", StringValue(""),
                          MakeStringAccessor(&DyetraceFault::m_from), MakeStringChecker())
            .AddAttribute("To", "Name of the node that the link leads to.", StringValue(""),
                          MakeStringAccessor(&DyetraceFault::m_to), MakeStringChecker())
            .AddAttribute("At", "When the fault begins.", TimeValue(Seconds(0)),
                          MakeTimeAccessor(&DyetraceFault::m_at), MakeTimeChecker(Seconds(0)))
            .AddAttribute("Until", "When the fault ends; the default is never.", TimeValue(Time::Max()),
                          MakeTimeAccessor(&DyetraceFault::m_until), MakeTimeChecker(Seconds(0)))
            .AddAttribute("Probability", "Of each packet to be lost, where the kind has one.",
                          DoubleValue(1.0), MakeDoubleAccessor(&DyetraceFault::m_probability),
                          MakeDoubleChecker<double>(0.0, 1.0));
    return tid;
}

DyetraceFault::DyetraceFault() = default;

DyetraceFault::~DyetraceFault() = default;

std::string DyetraceFault::Describe() const {
    return m_kind + ' ' + m_from + " > " + m_to;
}

}  // namespace ns3
