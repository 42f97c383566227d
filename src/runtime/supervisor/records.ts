import { join } from 'node:path';
import type { LoadedConfig } from '../../config/load-config.ts';
import type { AccessControl } from '../../core/access.ts';
import type { Clock } from '../../core/clock.ts';
import { systemAlarm } from '../../limits/alarm.ts';
import type { Log } from '../../telemetry/access-log.ts';
import type { Truth } from '../ipc/messages.ts';
import { AccessDesk, type AccessDeskOptions } from './access-desk.ts';
import type { AuditFile } from './audit/audit-file.ts';
import { AuditHeads } from './audit/audit-heads.ts';
import { openAudit } from './audit-log.ts';
import { CallerScope } from './caller-scope.ts';
import { IssuedKeys } from './issued-keys.ts';
import { PlanHistory } from './plans/plan-history.ts';
import { PlanKeeper } from './plans/plan-keeper.ts';
import { RevokedKeys } from './revoked-keys.ts';
import { StateLock } from './state-lock.ts';
import { TruthBook } from './truth-book.ts';

export interface RecordsPlace {
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Of each model's plan. */
  readonly keepRevisions: () => number;
}

/** What outlives the gateway: the record of changes, the plans, and the keys that were revoked or issued since the config was written. */
export class Records {
  readonly callers = new CallerScope();
  readonly audit: AuditFile;
  readonly plans: PlanHistory;
  readonly keeper: PlanKeeper;
  readonly #revoked: RevokedKeys;
  readonly #issued: IssuedKeys;
  readonly #heads: AuditHeads;
  readonly #lock: StateLock;
  readonly #clock: Clock;

  /** Throws where a file that is there cannot be read, and ConfigError where one that config names cannot be written or another gateway has them. */
  constructor({ config, file, baseDir }: LoadedConfig, { stateDir, clock, log, keepRevisions }: RecordsPlace) {
    this.#lock = new StateLock(stateDir, file);
    if (this.#lock.problem !== '') log.warn('state folder could not be locked', { reason: this.#lock.problem });
    this.#revoked = new RevokedKeys(stateDir);
    this.#issued = new IssuedKeys(stateDir);
    this.#clock = clock;
    const wallMs = (): number => clock.wallMs();
    this.plans = new PlanHistory({ dir: join(stateDir, 'plans'), keep: keepRevisions, log, wallMs });
    this.keeper = new PlanKeeper({ history: this.plans, log, wallMs, setAlarm: systemAlarm });
    this.audit = openAudit(config.audit.file, { baseDir, configFile: file, stateDir, clock, log, callers: this.callers });
    this.#heads = new AuditHeads(this.audit, log);
  }

  /** The book that the gateway starts with. */
  firstBook({ config }: LoadedConfig): TruthBook {
    const book = new TruthBook(config, this.#revoked.read(), this.plans);
    this.keeper.tell(book);
    return book;
  }

  /** The book for a config that was reloaded, with its plans on the disk. */
  bookUnder(book: TruthBook, { config }: LoadedConfig): TruthBook {
    const next = book.under(config);
    this.keeper.keepStated(next, 'the config as it was reloaded');
    return next;
  }

  /** What workers need to know besides the config and what is watched now. */
  truth(book: TruthBook): Omit<Truth, 'watched'> {
    return { ...book.truth(), issuedKeys: this.#issued.all };
  }

  access(gateway: Pick<AccessDeskOptions, 'fleet' | 'config'> & { readonly book: () => TruthBook }): AccessControl {
    return new AccessDesk({
      ...gateway,
      audit: this.audit,
      issued: this.#issued,
      saveRevoked: () => this.#revoked.save(gateway.book().revokedKeys),
      wallMs: () => this.#clock.wallMs(),
    });
  }

  close(): void {
    this.keeper.close();
    this.#heads.close();
    this.audit.close();
    this.#lock.release();
  }
}
