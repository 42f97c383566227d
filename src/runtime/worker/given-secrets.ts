import type { SecretSource } from '../../config/fields.ts';
import type { Secrets } from '../../config/secrets.ts';

/** The values that the supervisor has read: every worker has the same ones, whatever has become of their files since. */
export class GivenSecrets implements Secrets {
  readonly #byPath: ReadonlyMap<string, string>;

  constructor(byPath: ReadonlyMap<string, string>) {
    this.#byPath = byPath;
  }

  read(_source: SecretSource, path: string): string {
    const value = this.#byPath.get(path);
    // A place for secrets that secret-values.ts does not know of.
    if (value === undefined) throw new Error(`The supervisor has sent no secret for ${path}.`);
    return value;
  }
}
