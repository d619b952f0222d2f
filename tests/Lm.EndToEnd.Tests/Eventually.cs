namespace Lm.EndToEnd.Tests;

/// <summary>Waits for what another process does; there is no signal to wait on but what it shows.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);

    /// <summary>Asks again and again until the answer fits.</summary>
    /// <param name="what">What is waited for, for the message when it does not come.</param>
    /// <param name="ask">Asks once.</param>
    /// <param name="fits">Whether that is it.</param>
    /// <param name="giveUp">Says why it can never come, or null.</param>
    public static async Task<T> BecomesAsync<T>(string what, Func<Task<T>> ask, Func<T, bool> fits, Func<string?>? giveUp = null)
    {
        var time = TimeProvider.System;
        var began = time.GetTimestamp();
        while (true)
        {
            string last;
            try
            {
                var answer = await ask();
                if (fits(answer))
                {
                    return answer;
                }

                last = $"{answer}";
            }
            catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException)
            {
                last = e.Message;
            }

            Assert.True(giveUp?.Invoke() is not { } reason, $"{what}: {giveUp?.Invoke()}");
            Assert.True(time.GetElapsedTime(began) < Within, $"{what}: not within {Within.TotalSeconds} s; the last answer was: {last}");
            await Task.Delay(Between, time, TestContext.Current.CancellationToken);
        }
    }

    public static Task TrueAsync(string what, Func<Task<bool>> ask, Func<string?>? giveUp = null) =>
        BecomesAsync(what, ask, answer => answer, giveUp);
}
