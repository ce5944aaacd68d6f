/**
 * One line of a name map. `{i}` stands for a number, `{p}` for a parameter's last word (weight, bias).
 * Several names on the other side: the timm tensor is theirs stacked along the first axis.
 */
export interface NameRule {
  readonly timm: string
  readonly theirs: string | readonly string[]
}

/** How another library names the parameters of the same network. */
export interface NameMap {
  /** Stable name of the dialect, e.g. `huggingface-vit`. */
  readonly dialect: string
  /** True if these names are of this dialect. */
  readonly detect: (names: readonly string[]) => boolean
  readonly rules: readonly NameRule[]
  /** Put before every name that isn't in `bare`, and allowed to be absent when reading. */
  readonly prefix: string
  /** First words of names that stand outside the prefix, e.g. `classifier`. */
  readonly bare: readonly string[]
  /** Tensors that the network here has no use for, after the prefix is taken off. */
  readonly ignored: RegExp
}

/** What a template's placeholders stand for in one name. */
export type Bindings = Readonly<Record<string, string>>

const placeholders: Readonly<Record<string, string>> = { i: '\\d+', p: 'weight|bias' }

/** Returns a function from a name to its bindings, or undefined where the template doesn't match. */
export function matcher(template: string): (name: string) => Bindings | undefined {
  const pattern = template
    .replace(/[.]/g, '\\.')
    .replace(/\{(\w)\}/g, (_, key: string) => `(?<${key}>${placeholders[key]})`)
  const expression = new RegExp(`^${pattern}$`)
  return (name) => {
    const match = expression.exec(name)
    return match === null ? undefined : { ...match.groups }
  }
}

/** The template with its placeholders filled. */
export function fill(template: string, bindings: Bindings): string {
  return template.replace(/\{(\w)\}/g, (_, key: string) => bindings[key] ?? '')
}

/** A rule's other side as a list: one name, or the parts of a stacked tensor in order. */
export function partsOf(rule: NameRule): readonly string[] {
  return typeof rule.theirs === 'string' ? [rule.theirs] : rule.theirs
}
