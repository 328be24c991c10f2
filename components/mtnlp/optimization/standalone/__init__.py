"""From a pipeline whose encoder another engine runs to one without torch."""
