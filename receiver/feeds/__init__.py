"""What gives results to others as they come: the journal, Server-Sent Events, webhooks."""
