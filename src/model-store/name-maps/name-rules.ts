import type { NameRule } from '../../models/name-map.js'

/** What a template's placeholders stand for in one name. */
export type Bindings = Readonly<Record<string, string>>

const placeholders: Readonly<Record<string, string>> = { i: '\\d+', p: 'weight|bias', x: '.+' }

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
