"""AdaViT, ToMe and MCTF in NumPy, float64, written from a description of the methods and not from this program: results for
small models with random weights, three pictures each, whose decisions are none of them close.

Written with NumPy 1 or 2:  python make.py <folder>
"""
import numpy as np, json, struct, os, sys, math
OUT=sys.argv[1]
ERF=np.vectorize(math.erf)
rng=np.random.default_rng(int(sys.argv[2]) if len(sys.argv)>2 else 11)
def softmax(x):
    e=np.exp(x-x.max(-1,keepdims=True)); return e/e.sum(-1,keepdims=True)
def ln(x,g,b,eps=1e-6):
    m=x.mean(-1,keepdims=True); v=((x-m)**2).mean(-1,keepdims=True); return (x-m)/np.sqrt(v+eps)*g+b
gelu=lambda x:.5*x*(1+ERF(x/np.sqrt(2)))
sig=lambda x:1/(1+np.exp(-x))
def lin(x,W,n): return x@W[n+'.weight'].T+W[n+'.bias']
def N(x,w,k): return ln(x,w[k+'.weight'],w[k+'.bias'])
def desc(s): return np.argsort(-s,kind='stable')
def save(path,t):
    h={};off=0;d=b''
    for k,v in t.items():
        v=np.asarray(v); i=v.dtype.kind in 'iu'; a=v.astype('<i4' if i else '<f4')
        h[k]={'dtype':'I32' if i else 'F32','shape':list(a.shape),'data_offsets':[off,off+a.nbytes]}; off+=a.nbytes; d+=a.tobytes()
    j=json.dumps(h,separators=(',',':')).encode(); j+=b' '*(-len(j)%8); open(path,'wb').write(struct.pack('<Q',len(j))+j+d)
f32=lambda a: np.float32(a).astype(float)
R=lambda *s,std=.3: f32(rng.normal(0,std,s))
def weights(H,Wd,p,D,L,r,C,prefix=1,split=False,h=2):
    n=(H//p)*(Wd//p); w={}
    if prefix>0: w['cls_token']=R(1,1,D)
    if prefix>1: w['dist_token']=R(1,1,D)
    w.update({'pos_embed':R(1,n+prefix,D,std=.5),'patch_embed.proj.weight':R(D,3,p,p,std=.8),'patch_embed.proj.bias':R(D,std=.1)})
    def LN(k): w[k+'.weight']=1+R(D,std=.1); w[k+'.weight']=f32(w[k+'.weight']); w[k+'.bias']=R(D,std=.1)
    def FC(k,o,i,std=.3): w[k+'.weight']=R(o,i,std=std); w[k+'.bias']=R(o,std=.1)
    for i in range(L):
        b=f'blocks.{i}.'; LN(b+'norm1')
        if split:
            for q in ('query','key','value'): FC(b+f'attn.{q}',D,D)
            FC(b+'attn.token_select.mlp_head',1,D,.5)
            if i>=split['keep']: FC(b+'head_select.mlp_head',h,D,.5); FC(b+'layer_select.mlp_head',2,D,.5)
        else: FC(b+'attn.qkv',3*D,D)
        FC(b+'attn.proj',D,D); LN(b+'norm2'); FC(b+'mlp.fc1',int(r*D),D); FC(b+'mlp.fc2',D,int(r*D))
    LN('norm'); FC('head',C,D)
    if prefix>1: FC('head_dist',C,D)
    return w
def embed(x,w,p):
    C,H,Wd=x.shape; g=x.reshape(C,H//p,p,Wd//p,p).transpose(1,3,0,2,4).reshape(-1,C*p*p)
    t=g@w['patch_embed.proj.weight'].reshape(len(w['patch_embed.proj.bias']),-1).T+w['patch_embed.proj.bias']
    pre=[w[k][0] for k in ('cls_token','dist_token') if k in w]
    return np.concatenate(pre+[t])+w['pos_embed'][0]
def heads(z,h): return z.reshape(len(z),h,-1).transpose(1,0,2)
def qkv(y,w,i,h):
    z=lin(y,w,f'blocks.{i}.attn.qkv'); D=z.shape[-1]//3
    return [heads(z[:,k*D:(k+1)*D],h) for k in range(3)]
def join(o): return o.transpose(1,0,2).reshape(o.shape[1],-1)
def mlp(x,w,i): return lin(gelu(lin(x,w,f'blocks.{i}.mlp.fc1')),w,f'blocks.{i}.mlp.fc2')
def answer(x,w,prefix,size=None):
    y=N(x,w,'norm')
    if prefix==2: return (lin(y[0],w,'head')+lin(y[1],w,'head_dist'))/2
    # without class token: the mean of the patches, a token counting as often as it has patches
    return lin(y[0] if prefix else (y*size[:,None]).sum(0)/size.sum(),w,'head')
gaps=[]
def gap(v):
    v=np.sort(v[np.isfinite(v)]); gaps.append(np.diff(v).min() if len(v)>1 else 9)
def emit(method,name,config,w,X,outs):
    d=f'{OUT}/{method}'; os.makedirs(d,exist_ok=True)
    t={'w/'+k:v for k,v in w.items()}; t['in/x']=X
    for k in outs[0]: t['out/'+k]=np.stack([np.asarray(o[k]) for o in outs])
    save(f'{d}/{name}.safetensors',t); p=f'{d}/golden.json'
    J=json.load(open(p)) if os.path.exists(p) else {'method':method,'source':"NumPy, float64, from the specification of the methods",'cases':{}}
    J['cases'][name]={'config':config,'file':f'{name}.safetensors','smallest_gap':float('%.2g'%min(gaps)) if gaps else None}
    json.dump(J,open(p,'w'),indent=1); print(method,name,'gap',min(gaps) if gaps else None,os.path.getsize(f'{d}/{name}.safetensors')); gaps.clear()
def base(H,Wd,p,D,L,h,r,C,prefix):
    c={'img_size':[H,Wd],'patch_size':p,'embed_dim':D,'depth':L,'num_heads':h,'mlp_ratio':r,'num_classes':C,'eps':1e-6}
    if prefix==2: c['distilled']=True
    if prefix==0: c['class_token']=False
    return c

# ---- AdaViT (section 7)
def ada(x,w,L,h,keep,tok,hd,ly,mlp_too):
    o={}; n=len(x); D=x.shape[1]; d=D//h; T=[];TL=[];Hs=[];HL=[];Ls=[];LL=[]
    for i in range(L):
        b=f'blocks.{i}.'; sl=np.ones(2); sh=np.ones(h)
        if i>=keep:
            if ly: l=lin(x[0],w,b+'layer_select.mlp_head'); gaps.extend(abs(sig(l)-.5)); sl=(sig(l)>.5)*1.; LL.append(l)
            if hd: e=lin(x[0],w,b+'head_select.mlp_head'); gaps.extend(abs(sig(e)-.5)); sh=(sig(e)>.5)*1.; HL.append(e)
        if i>=keep:
            if ly: Ls.append(sl)
            if hd: Hs.append(sh)
        wd=np.repeat(sh,d); y=N(x,w,b+'norm1'); st=np.ones(n)
        if tok:
            t=lin(y[1:],w,b+'attn.token_select.mlp_head')[:,0]; gaps.extend(abs(sig(t)-.6)); st[1:]=sig(t)>.6; TL.append(t); T.append(st)
        q,k,v=[heads(lin(y,w,b+f'attn.{z}')*wd,h) for z in ('query','key','value')]
        P=np.outer(st,st); S=q@k.transpose(0,2,1)/np.sqrt(d)*P; S=np.where((P==0)&~np.eye(n,dtype=bool),-np.inf,S); A=softmax(S)
        x=x+sl[0]*lin(join(A@v)*wd,w,b+'attn.proj')*st[:,None]
        x=x+sl[1]*mlp(N(x,w,b+'norm2')*wd,w,i)*(st[:,None] if mlp_too else 1); o[f'block{i}_tokens']=x
    for nm,s,l in (('token',T,TL),('head',Hs,HL),('layer',Ls,LL)):
        if s: o[nm+'_select']=np.stack(s); o[nm+'_logits']=np.stack(l)
    o['logits']=answer(x,w,1); return o

# ---- ToMe (section 8)
def tome(x,w,L,h,rs,prop,prefix):
    o={}; size=None; n0=len(x); src_of=np.eye(n0); counts=[]
    for k in range(L):
        n=len(x); q,kk,v=qkv(N(x,w,f'blocks.{k}.norm1'),w,k,h); S=q@kk.transpose(0,2,1)/np.sqrt(q.shape[-1])
        if prop and size is not None: S=S+np.log(size)
        x=x+lin(join(softmax(S)@v),w,f'blocks.{k}.attn.proj')
        r=min(rs[k],(n-prefix)//2)
        if r>0:
            m=kk.mean(0); o[f'block{k}_metric']=m; m=m/np.linalg.norm(m,axis=1,keepdims=True); a,b=m[0::2],m[1::2]; s=a@b.T
            if prefix>0: s[0]=-np.inf
            if prefix>1: s[:,0]=-np.inf
            nm,ni=s.max(1),s.argmax(1); gap(nm)
            top=np.sort(np.where(np.isfinite(s),s,-9),1); gaps.append((top[:,-1]-top[:,-2])[prefix and 1:].min())
            e=desc(nm); src,unm=e[:r],np.sort(e[r:]); dst=ni[src]
            o.update({f'block{k}_src_idx':src,f'block{k}_dst_idx':dst,f'block{k}_unm_idx':unm,f'block{k}_node_max':np.where(np.isfinite(nm),nm,-3e38)})
            def merge(z):
                A,B=z[0::2],z[1::2].copy()
                for i,j in zip(src,dst): B[j]+=A[i]
                A=A[unm]
                return np.concatenate([A[:1],B[:1],A[1:],B[1:]]) if prefix>1 else np.concatenate([A,B])
            sz=np.ones((n,1)) if size is None else size[:,None]
            x=merge(x*sz); sz=merge(sz); x=x/sz; size=sz[:,0]; src_of=merge(src_of)
        x=x+mlp(N(x,w,f'blocks.{k}.norm2'),w,k); o[f'block{k}_tokens']=x; counts.append(len(x))
    o['source']=src_of; o['size']=size[:,None]; o['logits']=answer(x,w,prefix,size); o['_']=counts
    return o

# ---- MCTF (section 15)
def mctf(x,w,L,h,act,r0,prop,one,ts,ti,tz,bi,pool,prefix):
    o={};size=None
    for k in range(L):
        n=len(x); r=r0 if k in act else 0
        if r:
            if n-r<10: r=n-10
            r=min(int((n-1)*r) if r<1 else int(r),(n-1)//2)
        q,kk,v=qkv(N(x,w,f'blocks.{k}.norm1'),w,k,h); S=q@kk.transpose(0,2,1)/np.sqrt(q.shape[-1])
        if prop and size is not None: S=S+np.log(size)
        A=softmax(S)
        def plan(X):
            c=X/np.linalg.norm(X,axis=1,keepdims=True); i=1/A.mean((0,1)); i=i/i.max()
            m=((c[0::2]@c[1::2].T+1)/2)**(1/ts)*np.outer(i[0::2],i[1::2])**(1/ti)
            if size is not None: s=1/size; s=s/s.max(); m=m*np.outer(s[0::2],s[1::2])**(1/tz)
            m[0]=-np.inf
            if prefix>1: m[:,0]=-np.inf
            r1,r2=(r//2,r-r//2) if bi else (r,0)
            e=desc(m.max(1)); gap(m.max(1)); src=e[:r1]; unm=np.sort(e[r1:]); dst=m.argmax(1)[src]
            o.update({f'block{k}_src_idx':src,f'block{k}_dst_idx':dst,f'block{k}_unm_idx':unm})
            if bi:
                m2=m[unm].T; e2=desc(m2.max(1)); gap(m2.max(1)); s2=e2[:r2]; u2=e2[r2:]; d2=m2.argmax(1)[s2]
                if prefix>1: u2=np.concatenate([[0],u2[u2!=0]])
                o.update({f'block{k}_src_idx2':s2,f'block{k}_dst_idx2':d2,f'block{k}_unm_idx2':u2})
            def merge(z):
                a,b=z[0::2].copy(),z[1::2].copy()
                for s,d in zip(src,dst): b[d]+=a[s]
                a=a[unm]
                if bi:
                    for s,d in zip(s2,d2): a[d]+=b[s]
                    b=b[u2]
                return np.concatenate([a[:1],b[:1],a[1:],b[1:]]) if prefix>1 else np.concatenate([a,b])
            sz=np.ones(n) if size is None else size
            om={1:A.mean((0,1))*sz/sz.max(),0:sz,3:np.ones(n)}[pool]
            return merge,(lambda z: merge(om[:,None]*z)/merge(om)[:,None]),merge(sz)
        if r>0 and one:
            merge,mean,size2=plan(x)
            A=np.stack([mean(np.stack([merge(row) for row in a])) for a in A]); x=mean(x); size=size2
            v=qkv(N(x,w,f'blocks.{k}.norm1'),w,k,h)[2]
        x=x+lin(join(A@v),w,f'blocks.{k}.attn.proj'); x=x+mlp(N(x,w,f'blocks.{k}.norm2'),w,k)
        if r>0 and not one: merge,mean,size2=plan(x); x=mean(x); size=size2
        o[f'block{k}_tokens']=x
    o['size']=size; o['logits']=answer(x,w,prefix); return o

p=2; C=3; D,h=8,2
def go(method,name,H,Wd,L,prefix,config,run,ok=lambda outs:True,split=False,gapmin=2e-5,ratio=1):
    for _ in range(3000):
        gaps.clear(); w=weights(H,Wd,p,D,L,ratio,C,prefix,split,h); X=f32(rng.normal(0,1,(3,3,H,Wd)))
        outs=[run(embed(a,w,p),w) for a in X]
        if min(gaps)>gapmin and ok(outs): break
    else: raise SystemExit(f'no weights with clear decisions for {method} {name}')
    for o in outs:
        o.pop('_',None)
        for k in range(L-1): o.pop(f'block{k}_tokens',None)
    emit(method,name,{**base(H,Wd,p,D,L,h,ratio,C,prefix),**config},w,X,outs)
for name,(keep,tok,hd,ly,mt) in {'all':(1,1,1,1,1),'tokens_not_mlp':(1,1,0,0,0),'heads_layers_late':(2,0,1,1,1)}.items():
    L=4
    mixed=lambda outs: all(0<np.mean([o[k] for o in outs])<1 for k in outs[0] if k.endswith('select'))
    # batch 3: pictures that decide differently
    differ=lambda outs: mixed(outs) and all(any((outs[0][k]!=o[k]).any() for o in outs[1:]) for k in outs[0] if k.endswith('select'))
    go('adavit',name,6,10,L,1,dict(use_t2t=False,tokens_type='performer',token_dim=8,qkv_bias=True,in_chans=3,ada_head=bool(hd),ada_layer=bool(ly),ada_token=bool(tok),ada_token_with_mlp=bool(mt),keep_layers=keep,ln_eps=1e-6),
       lambda x,w:ada(x,w,L,h,keep,tok,hd,ly,mt),differ,{'keep':keep},2e-4)
for name,(rs,prefix,prop) in {'list_odd_grid':([3,0,4,1],1,True),'list_distilled':([2,5,0,1],2,True),'without_class_token':([3,0,2,4],0,True)}.items():
    L=4; full=rs+[0]*(L-len(rs))
    go('tome',name,6,10,L,prefix,dict(r=rs,r_form='list',prop_attn=prop),lambda x,w:tome(x,w,L,h,full,prop,prefix))
for name,(act,r,prop,one,ts,ti,tz,bi,pool) in {'distilled':([1,2,3],3,1,1,1,20,40,1,1),'distilled_one_sided':([0,2],4,1,0,1,5,3,0,0)}.items():
    L=4; H,Wd=(10,14)
    go('mctf',name,H,Wd,L,2,dict(input_size=H,mctf_type=[r,0,0,prop,one,ts,ti,tz,bi,pool,0],activate_layer=act,r_evals=r),lambda x,w:mctf(x,w,L,h,act,r,prop,one,ts,ti,tz,bi,pool,2))
