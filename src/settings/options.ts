/** How a setting is given on the command line. */
export interface SettingOption {
  readonly flags: string
  readonly placeholder: string
  /** What the help says. */
  readonly about: string
  /** What stands between several values. Default: a comma. */
  readonly separator?: RegExp
}

/**
 * The options of all settings, apart from what they do: a process that wants a label starts its engine while methods,
 * schemas and graphs are still to be read.
 */
export const settingOptions = {
  keepRatio: {
    flags: '-r, --keep-ratio',
    placeholder: 'r',
    about: "share of patches for the big blocks (default: the model's own)",
  },
  reduce: {
    flags: '--reduce',
    placeholder: 'method',
    about:
      'let tokens go on the way through a plain ViT, e.g. evit:0.7 or tome:8; a name that is none lists all',
    // `tome:8,schedule=decreasing,tome:13` are two: a name with = goes on with the method before it
    separator: /,(?!\s*[\w-]+\s*=)/,
  },
} as const satisfies Readonly<Record<string, SettingOption>>

export type SettingName = keyof typeof settingOptions

export const settingNames = Object.keys(settingOptions) as readonly SettingName[]
