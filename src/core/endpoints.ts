/** The servers behind one variant: where each is, and how it stands with the balancer. */

/** Where one endpoint is. */
export interface EndpointAddress {
  /** As config has it: `host:port`, or a URL. What a certificate and the Host field are about. */
  readonly name: string;
  /** The IP address to connect to, which the name stood for; empty where the name is one itself. */
  readonly ip: string;
}

/** The endpoint as people, logs and metrics name it; no two of a variant share it. */
export const endpointLabel = ({ name, ip }: EndpointAddress): string => (ip === '' ? name : `${name} at ${ip}`);

/** The IP addresses of a host name, as the system finds them. Rejects when there are none to be had now. */
export type Lookup = (host: string) => Promise<readonly string[]>;

export type EndpointState =
  /** It has not stated its signature yet. */
  | 'warming'
  /** Its signature differs from that of the first endpoint. */
  | 'mismatched'
  /** It takes its full share of calls. */
  | 'healthy'
  /** It takes a share that grows. */
  | 'slow-start'
  /** Its probes fail; it takes calls only while all others do as well. */
  | 'unhealthy'
  /** Its calls failed, and it takes none for a while. */
  | 'ejected'
  /** Its ejection is over, and it takes one call at a time until one succeeds. */
  | 'probation'
  /** Its name no longer stands for it, and its last calls are ending. */
  | 'draining';

export interface EndpointView {
  readonly endpoint: string;
  readonly state: EndpointState;
  /** Why it takes no calls, or not all of its share; empty when it does. */
  readonly reason: string;
  /** Milliseconds until its ejection ends; 0 when it is not ejected. */
  readonly ejectedForMs: number;
  readonly inFlight: number;
  /** Time to an answer as the balancer reckons with it: a peak that wears off; 0 before the first answer. */
  readonly latencyMs: number;
  /** Since it is known here. */
  readonly ejections: number;
}

/** Why an endpoint was ejected; the values of a metric's label. */
export type EjectionCause = 'consecutive_failures' | 'success_rate' | 'unreachable' | 'probation_failed';

/** What happens to the endpoints of a variant, for logs and metrics. */
export type EndpointEvent =
  /** It may take calls, for the first time or again. */
  | { readonly is: 'admitted'; readonly endpoint: string }
  | { readonly is: 'ejected'; readonly endpoint: string; readonly cause: EjectionCause; readonly forMs: number }
  | { readonly is: 'unhealthy'; readonly endpoint: string }
  | { readonly is: 'kept-out'; readonly endpoint: string; readonly reason: string }
  | { readonly is: 'appeared'; readonly endpoint: string }
  | { readonly is: 'vanished'; readonly endpoint: string }
  /** A name gave no addresses, or more than are used; what was known of it stays. */
  | { readonly is: 'unresolved'; readonly name: string; readonly reason: string }
  /** Every endpoint is out by its probes and by its calls as well. */
  | { readonly is: 'lost'; readonly reason: string }
  | { readonly is: 'found' };

/** The endpoints of one variant as they are now. */
export interface EndpointSet {
  views(): readonly EndpointView[];
  /** Whether a call that avoids this endpoint would find another now. */
  hasOther(endpoint: string): boolean;
}

export const NO_ENDPOINTS: EndpointSet = Object.freeze({ views: () => [], hasOther: () => false });
