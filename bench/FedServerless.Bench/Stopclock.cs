using System.Diagnostics;

namespace FedServerless.Bench;

/// <summary>Repeats work and keeps the times.</summary>
internal static class Stopclock
{
    /// <summary>Seconds of the fastest and of the median repeat, after one that does not count.</summary>
    public static (double Fastest, double Median) Time(int repeats, Action work)
    {
        work();
        var seconds = new double[repeats];
        for (var i = 0; i < repeats; i++)
        {
            var start = Stopwatch.GetTimestamp();
            work();
            seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        Array.Sort(seconds);
        return (seconds[0], seconds[repeats / 2]);
    }

    /// <summary>
    /// The same for several pieces of work that are compared: they take turns, so that a busy neighbour slows all of them.
    /// </summary>
    public static (double Fastest, double Median)[] TimeInTurns(int repeats, params Action[] works)
    {
        var seconds = works.Select(_ => new double[repeats]).ToArray();
        for (var turn = -1; turn < repeats; turn++)
        {
            for (var i = 0; i < works.Length; i++)
            {
                var start = Stopwatch.GetTimestamp();
                works[i]();
                if (turn >= 0)
                {
                    seconds[i][turn] = Stopwatch.GetElapsedTime(start).TotalSeconds;
                }
            }
        }

        return [.. seconds.Select(times => (times.Min(), times.Order().ElementAt(repeats / 2)))];
    }
}
