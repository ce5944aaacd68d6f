import type { Bindings } from '../graph/dim.js'
import type { Architecture, SettingValue } from '../models/architecture.js'
import type { BuildOptions } from '../models/model-definition.js'

/** What is said of a model at which nothing is set. */
export const plainKey = 'plain'

/** What a setting decides about a model. */
export interface Decision {
  /** Sizes of its graph, by name: one loaded graph serves all values of them. */
  readonly sizes?: Bindings
  /** How it is built: other values make another graph of the same weights. */
  readonly build?: BuildOptions
}

/**
 * Something that can be said of a model each time it runs, such as how many patches the big blocks process. Engine,
 * evaluation, bench, trace and logs pass settings on and print them, and know none by name.
 */
export interface Setting<Value extends SettingValue = SettingValue> {
  /** @throws BlvitError `BAD_OPTION` for a text that is no value */
  parse(text: string): Value
  /** The value as people read it, also where nothing tells which setting it is: `keep ratio 0.5`. */
  print(value: Value): string
  /**
   * Values like this one that differ in its number alone, from the one that saves most work to the one that saves least:
   * what a search for a speed goes through. Absent, or none: there is no number to turn.
   */
  ladder?(value: Value, architecture: Architecture): readonly Value[]
  /** @throws BlvitError `BAD_OPTION` if the architecture can't do that */
  decide(value: Value, architecture: Architecture): Decision
}
