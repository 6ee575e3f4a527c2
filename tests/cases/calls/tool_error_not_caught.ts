// The error comes when no frame of the program is there: its place is that of the call, here in a program whose lines have moved.
enum Kind { Bug, Task }
const kinds = [Kind.Bug, Kind.Task];
for (const kind of kinds) {
  await test.echo({ kind });
  await test.fail({});
}
