using System.Text.Json.Serialization;
using FedServerless.Wire;

namespace FedServerless.Privacy;

/// <summary>Whether the choice of the next charge may depend on what was released.</summary>
[JsonConverter(typeof(CamelCaseNames<FilterAdaptivity>))]
public enum FilterAdaptivity
{
    /// <summary>
    /// It does not: noise, rates and number of rounds were chosen without a look at any release, stopping early aside. Then the order may be chosen at the end.
    /// </summary>
    ScheduleFixed,

    /// <summary>
    /// It may: an operator looks at the models and then chooses the next run. A charge is then admitted by the theorem of Feldman and Zrnic at an order
    /// declared in advance; for n declared orders each has δ/n. One order has all of it.
    /// </summary>
    Adaptive,
}
