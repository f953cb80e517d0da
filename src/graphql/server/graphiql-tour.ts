interface Stop {
  query: string;
  /** JSON. */
  variables?: string;
}

/** The operations with which GraphiQL opens, a tab each. A browser that has tabs of its own keeps those. */
export const TOUR: readonly Stop[] = [
  {
    query: `# A tour in tabs: run each with the button above, then change it. Ctrl+Space shows what is possible.
# Who am I, and what may I do?
query Viewer {
  viewer { name role canMutate expiresAt }
}
`,
  },
  {
    query: `# What crashes most right now?
query WorstCrashGroups {
  crashGroups(first: 10, filter: { state: [OPEN] }, orderBy: { field: VELOCITY }) {
    totalCount
    nodes { id title kind velocity count deviceCount firmwareVersions lastSeenAt }
  }
}
`,
  },
  {
    query: `# The newest dump with its report.
query NewestDump {
  coredumps(first: 1, filter: { parseStatus: [PARSED] }) {
    nodes {
      id uploadedAt device { key name } firmware { version }
      report {
        explanation reason crashedTask elfMatches warnings { message }
        tasks { name crashed frames { index pc function file line } }
      }
    }
  }
}
`,
  },
  {
    query: `# The devices that crash most, with their last dumps. "endCursor" is the next page's "after".
query DevicesByCrashes($after: String) {
  devices(first: 20, after: $after, orderBy: { field: CRASH_COUNT }, filter: { hasCrashed: true }) {
    nodes { key crashCount lastCrashAt coredumps(first: 3) { nodes { id reason uploadedAt } } }
    pageInfo { hasNextPage endCursor }
  }
}
`,
    variables: '{ "after": null }',
  },
  {
    query: `# Crashes of the last 30 days: all, by version, and the share of devices without one.
query CrashesOverTime {
  crashes(unit: DAY) { start count }
  crashBreakdown(by: FIRMWARE_VERSION, unit: DAY, first: 5) { key isRest count }
  crashFreeDevices { start crashFreeShare }
}
`,
  },
  {
    query: `# Words in the texts of dumps; names of groups, devices and builds.
query Search($query: String!) {
  search(query: $query) {
    coredumps(first: 5) { nodes { coredump { id } snippet { text isMatch } } }
    crashGroups(first: 5) { nodes { id title } }
    devices(first: 5) { nodes { key name } }
  }
}
`,
    variables: '{ "query": "abort" }',
  },
  {
    query: `# What happens now. Stop it with the button above; "since" continues at a cursor.
subscription Live($since: String) {
  crashEvents(since: $since) {
    type subject cursor
    coredump { id parseStatus device { key } }
    crashGroup { id title count }
  }
}
`,
    variables: '{ "since": null }',
  },
  {
    query: `# Settle several crash groups at once. For admins.
mutation Triage($input: UpdateCrashGroupsInput!) {
  updateCrashGroups(input: $input) { crashGroups { id state assignee } }
}
`,
    variables: '{ "input": { "ids": ["…"], "state": "RESOLVED", "assignee": "ann" } }',
  },
];
