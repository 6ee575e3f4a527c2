/** The version of this package, and of the program that it was tested with. */
export const VERSION = "0.1.0";
