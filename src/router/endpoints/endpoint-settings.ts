/** What config says about the endpoints of one backend; the meaning of each key stands there. */
export interface EndpointSettings {
  readonly resolveMs: number;
  readonly drainMs: number;
  readonly slowStartMs: number;
  /** Null leaves health to the calls. */
  readonly probe: ProbeSettings | null;
  readonly ejection: EjectionSettings;
}

export interface ProbeSettings {
  readonly intervalMs: number;
  readonly recoveryMs: number;
  readonly timeoutMs: number;
  readonly unhealthyAfter: number;
  readonly healthyAfter: number;
}

export interface EjectionSettings {
  readonly consecutiveFailures: number;
  readonly successRate: SuccessRateSettings | null;
  readonly baseMs: number;
  readonly maxMs: number;
  readonly forgiveMs: number;
  readonly maxEjectedPercent: number;
}

export interface SuccessRateSettings {
  readonly windowMs: number;
  readonly minCalls: number;
  readonly gapPercent: number;
}
