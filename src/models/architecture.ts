import type { Bindings } from '../graph/dim.js'
import type { FamilyFacts } from './facts.js'
import type { BuildOptions, ModelDefinition } from './model-definition.js'
import type { TokenWindows } from './window-kinds.js'

/** The form of a config.json. */
export type ConfigJson = Readonly<Record<string, unknown>>

/** What a setting is set to: a number, or a text such as `evit:0.7`. */
export type SettingValue = number | string

/** A model with all its sizes decided, ready to be built. */
export interface Architecture {
  /** `vit`, `blvit`, … */
  readonly family: string
  /** What config.json holds to describe it; reading that gives an equal architecture. */
  readonly json: ConfigJson
  readonly image: { readonly height: number; readonly width: number }
  /** What the sides of its pictures are multiples of, in pixels. */
  readonly imageStep: number
  readonly channels: number
  /** 0: a backbone without a head. */
  readonly classes: number
  /** Side of a patch in pixels; undefined: pictures aren't cut into patches, there are maps and no tokens that could go. */
  readonly patchSize: number | undefined
  /** Rows and columns of patches; where there are none, those of the map that the features are of. */
  readonly grid: { readonly rows: number; readonly columns: number }
  /** Tokens before the patches. */
  readonly prefix: number
  /** What its family says of its parameters. */
  readonly facts: FamilyFacts
  /**
   * What can be said when it runs, with its value where nothing is said, under the names of `src/settings/`: a bLViT's
   * `{ keepRatio: 0.5 }`.
   */
  readonly settings: Readonly<Record<string, SettingValue>>
  /** Of one whose settings have a keep ratio: the sizes of the graph that it comes to. */
  readonly keptSizes?: (ratio: number) => Bindings
  /**
   * What one answer takes, where that is neither to classify nor, of a backbone, to embed: programs, and sizes that whoever
   * asks decides, such as one click.
   */
  readonly usualRun?: { readonly programs: readonly string[]; readonly sizes: Bindings }
  /** Of a model that saves work: the ViT of the same sizes that doesn't, which its speed is compared with. */
  readonly plain?: Architecture
  /** Whether it runs the plain block loop, so that the hooks of {@link BuildOptions} reach it; else it has its own. */
  readonly takesHooks: boolean
  /** How its grid is cut where tokens look around in windows; absent: they all see each other. */
  readonly windows?: TokenWindows
  build(options?: BuildOptions): ModelDefinition
}

/** How the models of a family save work that others spend. */
export interface SavingOfFamily {
  /** In one sentence without its end. */
  readonly about: string
  /** Authors, title, year. */
  readonly paper: string
  /** A command line that runs one. */
  readonly example: string
}

/** A family of models: reads the configurations that are its own and names the well-known ones. */
export interface ModelFamily {
  readonly name: string
  /** What people call a model of it, e.g. `big.LITTLE ViT`. */
  readonly title: string
  /** Of a family that was made to save work, in its own way and not by a reduction. */
  readonly saves?: SavingOfFamily
  /** Keys that its config.json may hold beside those of a usual one. */
  readonly switches?: readonly string[]
  /** Well-known configurations under the names that users type. */
  readonly presets: Readonly<Record<string, Architecture>>
  /**
   * The architecture that a config.json describes; undefined if it is another family's.
   * @throws BlvitError `BAD_CONFIG` if it is this family's but not valid
   */
  read(json: ConfigJson): Architecture | undefined
}
