import type { Bindings } from '../graph/dim.js'
import type { Architecture, SettingValue } from '../models/architecture.js'
import type { withChanges } from '../models/index.js'
import type { BuildOptions } from '../models/model-definition.js'
import type { parseReduction, withFilesRead } from '../reduction/parse-reduction.js'

/** What is said of a model at which nothing is set. */
export const plainKey = 'plain'

/** What a setting decides about a model. */
export interface Decision {
  /** Sizes of its graph, by name: one loaded graph serves all values of them. */
  readonly sizes?: Bindings
  /** How it is built: other values make another graph of the same weights. */
  readonly build?: BuildOptions
}

/** A cheaper run whose answer counts where it is sure. */
export interface FirstStage {
  /** In place of what the run is told otherwise. */
  readonly first: Readonly<Record<string, SettingValue>>
  /** The probability of its best class from which on nothing more is done, 0 to 1. */
  readonly sureFrom: number
}

/** How a setting is given on the command line. */
export interface SettingOption {
  readonly flags: string
  readonly placeholder: string
  /** What the help says. */
  readonly about: string
  /** What stands between several values. Default: a comma. */
  readonly separator?: RegExp
  /**
   * Whether it only says how others are meant: where each value of an option is a run of its own, its values are combined with
   * those of the others. Absent: no.
   */
  readonly qualifies?: boolean
  /** What stands behind its number where nothing tells which setting it is: `192px`. Default: nothing. */
  readonly unit?: string
}

/** What a file holds. @throws BlvitError `NOT_FOUND` */
export type ReadFile = (path: string) => Promise<string>

/**
 * What settings are made with. They are handed it instead of importing it: the command line reads every setting's file
 * before it starts the engine, and graphs, methods and schemas only while the engine's thread starts.
 */
export interface SettingTools {
  readonly parseReduction: typeof parseReduction
  readonly withFilesRead: typeof withFilesRead
  readonly withChanges: typeof withChanges
}

/**
 * Something that can be said of a model each time it runs, such as how many patches the big blocks process. Command line,
 * engine, evaluation, bench, trace, training and logs pass settings on and print them, and know none by name.
 */
export interface Setting<Value extends SettingValue = SettingValue> extends SettingOption {
  /**
   * The text with what files hold that it names, for a setting that may name some: from there on nobody needs them.
   * @throws BlvitError of `readFile`, and for files that hold something else
   */
  read?(text: string, readFile: ReadFile, tools: SettingTools): Promise<string>
  /**
   * Settings that it takes the place of: a model's own values of them don't count beside it, and both together are refused.
   * Absent: none.
   */
  readonly replaces?: readonly string[]
  /** @throws BlvitError `BAD_OPTION` for a text that is no value */
  parse(text: string, tools: SettingTools): Value
  /** @throws BlvitError `BAD_OPTION` for what is no value: a caller without types, or a recipe, may give anything */
  check(value: unknown, tools: SettingTools): Value
  /**
   * The value as people read it, also where nothing tells which setting it is: `keep ratio 0.5`. Empty: as if not set.
   * @param architecture as it was before {@link remake}
   */
  print(value: Value, architecture: Architecture, tools: SettingTools): string
  /**
   * Values like this one that differ in its number alone, from the one that saves most work to the one that saves least:
   * what a search for a speed goes through. Absent, or none: there is no number to turn.
   */
  ladder?(value: Value, architecture: Architecture, tools: SettingTools): readonly Value[]
  /**
   * The value on the way from one to another, for trainings that go from `from` to `to`. Absent: there is no way.
   * @param share 0: `from`, 1: `to`
   * @throws BlvitError `BAD_OPTION` for two that differ in more than one number
   */
  between?(from: Value, to: Value, share: number, architecture: Architecture, tools: SettingTools): Value
  /**
   * Whether a recipe's plan of it is passed over for a student that has no use for it, so that one recipe trains a model
   * that routes and, as its baseline, one that treats all tokens alike. Absent: never, the student must take it.
   */
  isPassedOver?(student: Architecture): boolean
  /**
   * The model that it makes of the same weights: with a smaller grid of patches, with fewer layers. The architecture itself
   * where it changes nothing. It comes before all decisions, which are about what is left. Absent: it leaves the model as it is.
   * @throws BlvitError `BAD_OPTION` if the architecture can't be changed so
   */
  remake?(value: Value, architecture: Architecture, tools: SettingTools): Architecture
  /**
   * Of a setting that has pictures answered in two stages, which classification alone can be: nobody else takes it.
   * Undefined: not with this value.
   */
  firstStage?(value: Value): FirstStage | undefined
  /** Absent: nothing. @throws BlvitError `BAD_OPTION` if the architecture can't do that */
  decide?(value: Value, architecture: Architecture, tools: SettingTools): Decision
}
