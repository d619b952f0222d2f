namespace Lm.Collector.Agents;

/// <summary>Takes what each request says about its agent.</summary>
internal interface IAgentReports
{
    /// <summary>Takes one request's report; called by many requests at once, also for requests whose batches were all refused, but
    /// never before the token was found to belong to the agent.</summary>
    void Report(in AgentReport report);
}
