import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { BlvitError } from '../../../base/blvit-error.js'
import type { OptionKeys } from '../../../base/check-options.js'

/** Where models come from and where they are kept. The defaults are those of Python's huggingface_hub. */
export interface HubSettings {
  /** Default: `HF_HUB_CACHE`, else `HF_HOME/hub`, else `~/.cache/huggingface/hub`. */
  readonly cacheFolder?: string | undefined
  /** Use only what is cached. Default: true if `HF_HUB_OFFLINE` is 1. */
  readonly offline?: boolean | undefined
  /** For private and gated models. Default: `HF_TOKEN`. */
  readonly token?: string | undefined
  /** Default: `HF_ENDPOINT`, else `https://huggingface.co`. */
  readonly endpoint?: string | undefined
}

export const hubKeys: OptionKeys<HubSettings> = {
  cacheFolder: true,
  offline: true,
  token: true,
  endpoint: true,
}

/** Settings with every default filled in. */
export interface ResolvedHubSettings {
  readonly cacheFolder: string
  readonly offline: boolean
  readonly token: string | undefined
  readonly endpoint: string
}

/** @throws BlvitError `BAD_OPTION` for a token or an endpoint that can't be one */
export function resolveHubSettings(
  { cacheFolder, offline, token, endpoint }: HubSettings,
  env: NodeJS.ProcessEnv = process.env,
): ResolvedHubSettings {
  // A variable that is set but empty counts as unset.
  const secret = token ?? (env.HF_TOKEN || undefined)
  // Asked for by the hub's client; said here without the token itself.
  if (secret !== undefined && !secret.startsWith('hf_')) {
    throw new BlvitError(
      'BAD_OPTION',
      'The hub token must begin with "hf_": check HF_TOKEN or the token option.',
    )
  }
  const base = (endpoint ?? (env.HF_ENDPOINT || 'https://huggingface.co')).replace(/\/+$/, '')
  if (!URL.canParse(base) || !/^https?:/.test(base)) {
    throw new BlvitError(
      'BAD_OPTION',
      `The hub endpoint ${JSON.stringify(base)} is not an http(s) address.`,
      {
        endpoint: base,
      },
    )
  }
  return {
    cacheFolder: resolve(cacheFolder ?? defaultCacheFolder(env)),
    offline: offline ?? /^(1|true|yes|on)$/i.test(env.HF_HUB_OFFLINE ?? ''),
    token: secret,
    endpoint: base,
  }
}

function defaultCacheFolder(env: NodeJS.ProcessEnv): string {
  const cache = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE
  if (cache) return cache
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface')
  return join(home, 'hub')
}
