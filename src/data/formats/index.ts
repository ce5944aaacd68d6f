import type { DataFormat } from '../data-set.js'
import { cifar10 } from './cifar10.js'
import { imageFolder } from './image-folder.js'
import { instances } from './instances.js'
import { labelsCsv } from './labels-csv.js'
import { webDataset } from './webdataset.js'

/** Every format, in the order in which they are asked. Adding one is its file and one line here. */
export const formats: readonly DataFormat[] = [cifar10, webDataset, labelsCsv, instances, imageFolder]
