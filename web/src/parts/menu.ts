import type { IconName } from './icons';

export interface MenuItem {
  label: string;
  icon: IconName;
  run: () => void;
  /** The key that does the same. */
  key?: string;
  /** Stands apart from what is above. */
  apart?: boolean;
  bad?: boolean;
  /** For one of several that exclude each other: whether it is the one. */
  checked?: boolean;
}
