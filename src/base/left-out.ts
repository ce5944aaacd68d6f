import { BlvitError } from './blvit-error.js'

/** Something of the package that isn't beside its code: an application was bundled, and the bundler took the code alone. */
export class LeftOut extends BlvitError {
  /** @param what begins the sentence, e.g. `"The model vit-tiny"` @param instead what else helps, a sentence */
  constructor(what: string, { instead, cause }: { instead?: string; cause?: unknown } = {}) {
    super(
      'NOT_FOUND',
      `${what} is missing beside blvit's code: a bundler left it out of this application. Tell it to leave the package ` +
        `whole (external: ['blvit']) and install blvit beside the application.${instead ? ` ${instead}` : ''}`,
      { what },
      { cause },
    )
  }
}
