//! class: syntax
//! kind: good
//! like: claude
//! servers: filesystem
//! looks: a Python program as text
//! verdict: runs
//! value: "count.py written"
//! notes: none
//! calls: ["filesystem.write_file"]
//! ----
await filesystem.write_file({
  path: "/srv/web/scripts/count.py",
  content: `import json

def main():
    with open("orders.json") as f:
        print(f"{len(json.load(f))} orders")

if __name__ == "__main__":
    main()
`,
});
return "count.py written";
