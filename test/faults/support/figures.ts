/** What a crowd counts while it plays. */
export interface Figures {
  tickets: number;
  matches: number;
  /** Requests that were answered 502 or 503, or not at all, and made again. */
  repeated: number;
  /** Answers of 500: never. */
  failed: Failure[];
  reconnected: number;
  /** Ends of searches of which nobody told them for 15 s: they had to ask. */
  hadToAsk: number;
  /** From the loss of a connection to having been told everything again, ms. */
  informedMs: number[];
  /** The same from when they began to connect for the last time. */
  caughtUpMs: number[];
  /** Cancels of the impatient: those that came first, and those that were answered that it is too late. */
  cancels: { first: number; late: number };
  /** The longest time for which this process did not run although it wanted to: of a machine that stands still nothing can be expected, ms. */
  stoodStillMs: number;
}

export interface Failure {
  /** Method and path. */
  request: string;
  requestId: string;
}
