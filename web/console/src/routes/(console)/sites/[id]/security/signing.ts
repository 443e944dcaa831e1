// Sample code that signs an identity token (a JWT with HS256) in several languages. Each sample is a separate file, which a
// server test runs exactly as shown.
import go from './signing/token.go?raw';
import java from './signing/OcsIdentity.java?raw';
import node from './signing/token.mjs?raw';
import php from './signing/token.php?raw';
import python from './signing/token.py?raw';
import ruby from './signing/token.rb?raw';
import rust from './signing/token.rs?raw';

type Language = { name: string; needs: string; code: string };

const rustCrates = 'Needs the crates base64 0.22 or later, hmac 0.13, serde_json 1 and sha2 0.11.';

export const languages: Language[] = [
  { name: 'PHP', needs: '', code: php.trimEnd() },
  { name: 'Node', needs: '', code: node.trimEnd() },
  { name: 'Python', needs: '', code: python.trimEnd() },
  { name: 'Ruby', needs: '', code: ruby.trimEnd() },
  { name: 'Go', needs: '', code: go.trimEnd() },
  { name: 'Java', needs: '', code: java.trimEnd() },
  { name: 'Rust', needs: rustCrates, code: rust.trimEnd() },
];
